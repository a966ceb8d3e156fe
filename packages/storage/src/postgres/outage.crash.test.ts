// Goal: a Postgres that dies or falls silent in the middle of writing costs time, never an event: the write throws UnavailableError, and the same write succeeds afterwards.
// Method: a server of this file's own, killed (as at a power cut) while writes are in flight; a link to it that swallows replies or is cut.
import { UnavailableError } from '@koco/core'
import { startFaultProxy, startPostgres, type PostgresServer } from '@koco/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plainRun, someFid, someRun, START, timeline } from '../contract/scenario.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { RunRecords } from '../port/events.ts'
import { createPostgresExecutionStore } from './store.ts'

const E1 = START * 1000
let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

/** Writes each batch until it is stored, as a spooler does. */
async function writeAll(store: ExecutionStore, batches: readonly RunRecords[][], onOutage: () => void): Promise<number> {
  let outages = 0
  for (const batch of batches) {
    for (let stored = false; !stored;) {
      try {
        await store.writer.write(batch)
        stored = true
      } catch (error) {
        if (!(error instanceof UnavailableError) || outages > 10_000) throw error
        outages++
        onOutage()
      }
    }
  }
  return outages
}

test('a server killed while writing comes back with every event once', async () => {
  const database = await server.createDatabase()
  const store = await createPostgresExecutionStore({ url: database.url, migrate: true })
  const runs = Array.from({ length: 8 }, () => ({ fid: someFid(), records: plainRun(E1, 393) }))
  const lanes = runs.map(({ fid, records }) => Array.from({ length: 40 }, (_, i) => [{ fid, records: records.slice(i * 10, i * 10 + 10) }]))
  for (const { fid } of runs) await store.runs.create(someRun(fid))
  const seen = Promise.withResolvers<void>()
  const writing = Promise.all(lanes.map((lane) => writeAll(store, lane, () => seen.resolve())))
  await server.kill()
  await seen.promise
  await server.restart()
  const outages = await writing
  expect(Math.max(...outages)).toBeGreaterThan(0)
  for (const { fid, records } of runs) {
    expect(await timeline(store, fid, 100)).toEqual(records)
    expect(await store.runs.get(fid)).toMatchObject({ status: 'finished', events: 400 })
  }
  await store.check()
  await store.close()
})

test('a server that falls silent does not hold a write for ever, and what it did unheard is not stored twice', async () => {
  const database = await server.createDatabase()
  const proxy = await startFaultProxy({ port: server.port })
  // Only what falls silent has so little time: a busy machine makes tables and reads more slowly than that.
  const patient = await createPostgresExecutionStore({ url: database.url, migrate: true })
  const store = await createPostgresExecutionStore({ url: proxy.url(database.url), statementMs: 2000 })
  const run = { fid: someFid(), records: plainRun(E1, 3) }
  await writeAll(store, [[{ ...run, records: run.records.slice(0, 4) }]], () => undefined)
  const swallowed = proxy.dropReplies()
  await expect(store.writer.write([run])).rejects.toBeInstanceOf(UnavailableError)
  await swallowed
  proxy.heal()
  await writeAll(store, [[run]], () => undefined)
  expect(await timeline(patient, run.fid)).toEqual(run.records)
  await store.close()
  await patient.close()
  await proxy.close()
})

// Few events are inserted by a statement, many by COPY.
test.each([10, 100])('cut links between any two packets lose and double nothing, %i events of each run at a time', async (each) => {
  const database = await server.createDatabase()
  const proxy = await startFaultProxy({ port: server.port })
  const store = await createPostgresExecutionStore({ url: proxy.url(database.url), migrate: true, poolMax: 3 })
  const runs = Array.from({ length: 3 }, () => ({ fid: someFid(), records: plainRun(E1, 20 * each - 7) }))
  const batches = Array.from({ length: 20 }, (_, i) => runs.map(({ fid, records }) => ({ fid, records: records.slice(i * each, (i + 1) * each) })))
  const writing = Promise.all([writeAll(store, batches, () => undefined), writeAll(store, batches, () => undefined)])
  for (let cuts = 0; cuts < 20; cuts++) {
    await Promise.race([writing, store.check().catch(() => undefined)])
    proxy.cut()
  }
  await writing
  for (const { fid, records } of runs) expect(await timeline(store, fid, 100)).toEqual(records)
  await store.close()
  await proxy.close()
})
