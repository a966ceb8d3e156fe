// Goal: what goes in by COPY is what comes out, and a COPY that fails leaves the connection in step with its answers. Method: any events through a real server and back; statements before, with and behind
// a COPY that is refused.
import type { EventRecord } from '@koco/core'
import { createDatabase, type TestDatabase } from '@koco/testing'
import fc from 'fast-check'
import type { Pool, PoolClient } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { someFid } from '../contract/scenario.ts'
import { copyEvents } from './copy-in.ts'
import { openPool } from './database.ts'
import { isUniqueViolation } from './errors.ts'
import { readAbove, toRecord } from './event-rows.ts'
import { migratePostgresTables } from './store.ts'
import { inPipeline } from './transaction.ts'

const EPOCH = 1_700_000_000_000
let database: TestDatabase
let pool: Pool
let client: PoolClient

beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
  await migratePostgresTables(database.url)
  pool = openPool(database.url, { poolMax: 1 })
  client = await pool.connect()
})

beforeEach(() => client.query('truncate execution_events'))

afterAll(async () => {
  client.release()
  await pool.end()
  await database.drop()
})

const event = (seq: number, data = '{}'): EventRecord => ({ epoch: EPOCH, seq, ts: 1_700_000_000.25, kind: 'action', step: null, data })

const store = (fid: string, records: readonly EventRecord[]) => copyEvents(client, [{ fid, user: 'ada', records }])

const stored = async (fid: string) => (await readAbove(client, [{ fid, epoch: 0, seq: 0 }])).map(toRecord)

test('events come back as they went in', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((any) => any.replaceAll('\0', '').toWellFormed())
  const some = fc.record({ ts: fc.double({ noNaN: true, noDefaultInfinity: true }), kind: text, step: fc.option(text), data: text })
  const epochs = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
  await fc.assert(
    fc.asyncProperty(fc.array(some, { maxLength: 30 }), epochs, async (events, epoch) => {
      const fid = someFid()
      const records = events.map((event, index) => ({ ...event, ts: event.ts + 0, epoch, seq: index + 1 }))
      await store(fid, records)
      expect(await stored(fid)).toEqual(records)
    }),
    { numRuns: 50 },
  )
})

test('events of many messages, of any length and beyond ASCII, find room', async () => {
  const fid = someFid()
  const data = ['x'.repeat(65_536), 'ü'.repeat(200_000), '🚂'.repeat(1000), '', ...Array.from({ length: 400 }, (_none, index) => '€'.repeat(index))]
  const records = data.map((text, index) => event(index + 1, text))
  await store(fid, records)
  expect(await stored(fid)).toEqual(records)
})

test('a place that is taken fails the COPY and what follows it, and the connection goes on', async () => {
  const fid = someFid()
  await store(fid, [event(2)])
  const many = Array.from({ length: 500 }, (_none, index) => event(index + 1, 'x'.repeat(1000)))
  const failed = inPipeline(client, () => [client.query('begin'), store(fid, many), client.query('select 1'), client.query('commit')])
  await expect(failed).rejects.toSatisfy(isUniqueViolation)
  await client.query('rollback')
  expect(await stored(fid)).toHaveLength(1)
})

test('rows behind a COPY that never began are passed over', async () => {
  const fid = someFid()
  const many = Array.from({ length: 500 }, (_none, index) => event(index + 1, 'x'.repeat(1000)))
  const failed = inPipeline(client, () => [client.query('begin'), client.query('select 1 / 0'), store(fid, many), client.query('commit')])
  await expect(failed).rejects.toMatchObject({ code: '22012' })
  const { rows } = await client.query('select 7 as answer')
  expect(rows).toEqual([{ answer: 7 }])
  expect(await stored(fid)).toEqual([])
})
