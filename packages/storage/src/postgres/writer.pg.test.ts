// Goal: several writers on one database, rows put there by other hands and a store of another version lose nothing and store nothing twice.
// Method: two stores as two processes would open them, batches that overlap, real timelines.
import { must } from '@koco/core'
import type { EventRecord } from '@koco/core'
import { createDatabase, type TestDatabase } from '@koco/testing'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { attempt, lines, opening, plainRun, positions, someFid, someRun, START, timeline } from '../contract/scenario.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { RunRecords } from '../port/events.ts'
import { createPostgresExecutionStore, migratePostgresTables, readPostgresVersion } from './store.ts'

const E1 = START * 1000
const E2 = E1 + 5000
let database: TestDatabase
let stores: readonly [ExecutionStore, ExecutionStore]

beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
  const first = await createPostgresExecutionStore({ url: database.url, migrate: true })
  stores = [first, await createPostgresExecutionStore({ url: database.url })]
})

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await database.drop()
})

async function query(text: string, values: unknown[] = []): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows
  } finally {
    await client.end()
  }
}

test('two writers with overlapping batches over the same runs, in opposite orders, store each event once', async () => {
  const runs = Array.from({ length: 12 }, () => ({ fid: someFid(), records: plainRun(E1, 93) }))
  for (const { fid } of runs.slice(0, 6)) await stores[0].runs.create(someRun(fid))
  const piece = (from: number, to: number): RunRecords[] => runs.map(({ fid, records }) => ({ fid, records: records.slice(from, to) }))
  const cuts = [0, 20, 40, 60, 80].map((from) => piece(from, from + 30))
  const results = await Promise.all(cuts.flatMap((cut) => [stores[0].writer.write(cut), stores[1].writer.write(cut.toReversed())]))
  const inserted = results.flatMap((result) => result.runs).reduce((sum, run) => sum + run.inserted, 0)
  expect(inserted).toBe(12 * 100)
  expect(results.flatMap((result) => result.alarms)).toEqual([])
  for (const { fid, records } of runs) {
    expect(await timeline(stores[0], fid, 64)).toEqual(records)
    expect(await stores[1].runs.get(fid)).toMatchObject({ status: 'finished', events: 100 })
  }
})

test('a writer that remembers a run notices what another one wrote meanwhile', async () => {
  const fid = someFid()
  const records = plainRun(E1, 23)
  for (let i = 0; i < records.length; i += 3) await must(stores[(i / 3) % 2], 'store').writer.write([{ fid, records: records.slice(i, i + 3) }])
  expect(await timeline(stores[0], fid)).toEqual(records)
  expect(await stores[0].runs.get(fid)).toMatchObject({ status: 'finished', events: 30, final: { value: '# Rome' }, inputs: { city: 'Rome' } })
})

test.each([5, 500])('of %i events, those that other hands put into the table count as duplicates and are folded', async (count) => {
  const fid = someFid()
  const records = [...opening(E1), ...lines(E1, 6, count - 5)]
  await stores[0].runs.create(someRun(fid))
  const insert = 'insert into execution_events (fid, epoch, seq, username, timestamp, kind, message) values ($1, $2, $3, $4, $5, $6, $7)'
  for (const { epoch, seq, ts, kind, data } of records.slice(0, 2)) await query(insert, [fid, epoch, seq, 'ada', ts, kind, data])
  const result = await stores[0].writer.write([{ fid, records }])
  expect(result.runs).toMatchObject([{ inserted: count - 2, duplicates: 2, top: { epoch: E1, seq: count } }])
  expect(await timeline(stores[0], fid)).toEqual(records)
})

test('rows carry what people look for with SQL', async () => {
  const fid = someFid()
  await stores[0].writer.write([{ fid, records: opening(E1) }])
  const rows = await query('select username, kind, message, timestamp from execution_events where fid = $1 order by epoch, seq', [fid])
  expect(rows[3]).toMatchObject({ username: 'ada', kind: 'meta', timestamp: START + 4 / 8 })
  const indexes = await query(`select indexname from pg_indexes where tablename = 'execution_events' order by indexname`)
  const names = indexes.map((row) => row['indexname'])
  expect(names).toEqual(['execution_events_pkey', 'ix_execution_events_fid', 'ix_execution_events_fid_kind', 'ix_execution_events_username'])
})

test('an epoch beyond every stored one is given out, also when its events still wait behind a hole', async () => {
  const fid = someFid()
  await stores[0].writer.write([{ fid, records: opening(E1) }])
  await stores[0].writer.write([{ fid, records: [attempt(E2, { epoch: E1, seq: 9 }), ...lines(E2, 2, 1)] }])
  expect(positions(await timeline(stores[0], fid)).at(-1)).toBe(`${E1}-5`)
  expect(await stores[1].runs.nextEpoch(fid, E1)).toBe(E2 + 1)
  const both = await Promise.all(stores.map((store) => store.runs.nextEpoch(fid, E1)))
  expect(both.toSorted((a, b) => a - b)).toEqual([E2 + 2, E2 + 3])
})

test('only one of two processes may have what is exclusive, and it is free again after its end', async () => {
  const release = must(await stores[0].exclusive('direct'), 'lock')
  expect(await stores[1].exclusive('direct')).toBeUndefined()
  const other = must(await stores[1].exclusive('other'), 'lock')
  await release()
  await other()
  await must(await stores[1].exclusive('direct'), 'lock')()
})

test('a database of another version is refused with the remedy', async () => {
  await using fresh = await createDatabase(inject('postgresUrl'))
  await expect(createPostgresExecutionStore({ url: fresh.url })).rejects.toMatchObject({
    code: 'schema_older',
    message: expect.stringContaining('koco db --create-tables'),
  })
  expect(await readPostgresVersion(fresh.url)).toMatchObject({ found: 0 })
  const both = await Promise.all([migratePostgresTables(fresh.url), migratePostgresTables(fresh.url)])
  expect(both.filter((steps) => steps.length > 0)).toHaveLength(1)
  const client = new Client({ connectionString: fresh.url })
  await client.connect()
  await client.query(`insert into schema_migrations (store, version, name, applied_at) values ('execution', 99, 'future', 0)`)
  await client.end()
  for (const migrate of [true, false]) await expect(createPostgresExecutionStore({ url: fresh.url, migrate })).rejects.toMatchObject({ code: 'schema_newer' })
})

test.each([60, 120])('a large batch of %i large events is stored', async (count) => {
  const fid = someFid()
  const big: EventRecord[] = lines(E1, 6, count).map((record) => ({ ...record, data: `{"text":"${'ü'.repeat(120_000)}"}` }))
  await stores[0].writer.write([{ fid, records: [...opening(E1), ...big] }])
  expect(await stores[0].runs.get(fid)).toMatchObject({ events: count + 5 })
})
