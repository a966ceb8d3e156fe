// Goal: an import leaves the same run in Postgres as a run's own events would. Method: a file of two tries, one cut off, into a database of its own; read back.
import { ORIGIN, parseJson } from '@koco/core'
import type { Contents } from '@koco/flow'
import { openExecutionStore, type ExecutionStore } from '@koco/storage'
import { createDatabase } from '@koco/testing'
import { createMemoryTransport } from '@koco/transport'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { PANEL_DEFAULTS } from '../options.ts'
import { importRun } from './import-run.ts'

let store: ExecutionStore
let drop: () => Promise<void>
beforeAll(async () => {
  const database = await createDatabase(inject('postgresUrl'))
  drop = database.drop
  store = await openExecutionStore({ url: database.url, dir: '', migrate: true })
})
afterAll(async () => {
  await store.close()
  await drop()
})

const EPOCH = 1_700_000_000_000
const EVENTS = [
  [EPOCH, 1, 'attempt', { attempt: 1, reason: 'start', owner: 'w', prev: '0-0' }],
  [EPOCH, 2, 'meta', { flow: 'trip', version: null, summary: 's', tags: [], user: 'ann' }],
  [EPOCH, 3, 'status', { status: 'running' }],
  [EPOCH + 5, 1, 'attempt', { attempt: 2, reason: 'recover', owner: 'w', prev: `${EPOCH}-3` }],
  [EPOCH + 5, 2, 'status', { status: 'running' }],
  [EPOCH + 5, 3, 'final', { type: 'text', value: 'done' }],
  [EPOCH + 5, 4, 'status', { status: 'finished' }],
] as const

test('both tries and the end are there, and twice is once', async () => {
  const head = {
    fid: '6553f1000123456789abcdef',
    flow: 'trip',
    version: null,
    user: 'ann',
    summary: 's',
    created_at: 1_700_000_000,
    status: 'finished',
    inputs: { city: 'Rome' },
  }
  const lines = [{ run: head }, ...EVENTS.map(([epoch, seq, kind, data]) => ({ event: { epoch, seq, kind, data, ts: 1_700_000_000 + seq, step: null } }))]
  const file = (): AsyncIterable<Uint8Array> => new Blob([lines.map((line) => JSON.stringify(line)).join('\n')]).stream()
  const nowhere: Contents = { keep: async () => undefined, read: async () => '', close: async () => undefined }
  const context = { store, contents: nowhere, signals: createMemoryTransport().signals, settings: PANEL_DEFAULTS, clock: Date.now }
  const first = await importRun(context, 'bo', file())
  expect(await importRun(context, 'bo', file())).toEqual({ ...first, created: false })
  const run = await store.runs.get(first.fid)
  expect(run).toMatchObject({ user: 'bo', status: 'finished', attempt: 2, events: EVENTS.length, launcher: 'import', inputs: { city: 'Rome' } })
  const { records } = await store.reader.read(first.fid, { after: ORIGIN, limit: 100 })
  expect(records.map(({ epoch, seq, kind }) => [epoch, seq, kind])).toEqual(EVENTS.map(([epoch, seq, kind]) => [epoch, seq, kind]))
  expect(parseJson(records[1]?.data ?? '')).toMatchObject({ user: 'bo', imported_from: { fid: head.fid, user: 'ann' } })
})
