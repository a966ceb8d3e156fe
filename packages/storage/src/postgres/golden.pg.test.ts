// Goal: the same recorded runs give byte-equal timelines, pages and run rows from SQLite and Postgres. Method: runs with several epochs, locks, a retry, a fenced tail, a declared
// hole and text in all scripts, cut into batches that overlap and come late, written to both; then everything that readers get is compared as text.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventJson, type EventRecord } from '@koco/core'
import { createDatabase } from '@koco/testing'
import { expect, inject, test } from 'vitest'
import { attempt, lines, opening, plainRun, record, someFid, START, status, timeline } from '../contract/scenario.ts'
import { openExecutionStore } from '../open-execution-store.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { RunRecords } from '../port/events.ts'

const E1 = START * 1000
const E2 = E1 + 5000
const E3 = E1 + 9000

function recordedRun(): EventRecord[] {
  const question = { lid: 'l1', name: 'approve', form: { type: 'object' }, data: ['“Öl” 🚂 \u2028 \\u0000'], expires_at: START + 99 }
  const first = [...opening(E1), ...lines(E1, 6, 20), record(E1, 26, 'lock', question), status(E1, 27, 'awaiting', START + 60)]
  const zombie = lines(E1, 28, 3)
  const second = [
    attempt(E2, { epoch: E1, seq: 27 }, { reason: 'wake', attempt: 2 }),
    status(E2, 2, 'running'),
    record(E2, 3, 'lease', { lid: 'l1', answer: { go: false, note: null }, by: 'bob', at: START + 50.125 }),
    record(E2, 4, 'progress', { done: 1, total: null, text: 'x' }, 'group/step one#2'),
    ...lines(E2, 9, 4),
    record(E2, 13, 'error', { name: 'Error', message: 'broken "quotes"\n\ttabs' }),
    status(E2, 14, 'error'),
  ]
  const lost = { from: `${E2}-5`, to: `${E2}-8` }
  const third = [
    attempt(E3, { epoch: E2, seq: 14 }, { reason: 'retry', attempt: 3, lost }),
    status(E3, 2, 'running'),
    ...lines(E3, 3, 30),
    status(E3, 33, 'cancelled'),
  ]
  return [...first, ...zombie, ...second, ...third]
}

/** Overlapping pieces, two of them swapped. */
function batches(fid: string, records: readonly EventRecord[]): RunRecords[] {
  const pieces: RunRecords[] = []
  for (let from = 0; from < records.length; from += 17) pieces.push({ fid, records: records.slice(Math.max(0, from - 5), from + 17) })
  const [first, second, ...rest] = pieces
  return first && second ? [second, first, ...rest] : pieces
}

async function everything(store: ExecutionStore, fid: string): Promise<string[]> {
  const events = (await timeline(store, fid, 13)).map((event) => eventJson(fid, event))
  const searched = await store.reader.read(fid, { after: { epoch: E1, seq: 3 }, limit: 9, q: 'LINE 1', kinds: ['stdout', 'meta'] })
  const page = await store.reader.read(fid, { after: { epoch: E1, seq: 25 }, limit: 1000 })
  const locks = await store.locks.list({ fid, limit: 10 })
  return [...events, ...[searched, page, await store.runs.get(fid), locks].map(sorted)]
}

/** Which order a store builds an object's keys in says nothing. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

test('SQLite and Postgres give the same runs', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'koco-golden-'))
  await using database = await createDatabase(inject('postgresUrl'))
  const stores = await Promise.all([openExecutionStore({ dir, migrate: true }), openExecutionStore({ url: database.url, migrate: true })])
  try {
    for (const records of [recordedRun(), plainRun(E1, 40)]) {
      const fid = someFid()
      for (const batch of batches(fid, records)) {
        const [fromSqlite, fromPostgres] = await Promise.all(stores.map((store) => store.writer.write([batch])))
        expect(fromPostgres).toEqual(fromSqlite)
      }
      const [sqlite, postgres] = await Promise.all(stores.map((store) => everything(store, fid)))
      expect(postgres).toEqual(sqlite)
      expect(postgres?.length).toBeGreaterThan(40)
    }
  } finally {
    await Promise.all(stores.map((store) => store.close()))
    await rm(dir, { recursive: true })
  }
})
