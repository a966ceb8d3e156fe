import { randomBytes } from 'node:crypto'
import type { EventData, EventKind, EventRecord, NewRun, Position } from '@koco/core'
import { formatPosition, newFid, toJsonText } from '@koco/core'
import type { ExecutionStore } from '../port/execution-store.ts'

/** A store over fresh data; `reopen` closes it and opens the same data again; `damage` changes it past the store, by SQL; `dispose` closes what is open and removes the data. */
export type StoreFixture = {
  readonly store: ExecutionStore
  reopen(): Promise<ExecutionStore>
  damage(statement: string): Promise<void>
  dispose(): Promise<void>
}

/** Opens a fixture. */
export type OpenFixture = () => Promise<StoreFixture>

/** The start of all runs of the scenarios, unix seconds. */
export const START = 1_790_000_000

/** A fresh run id that starts `afterS` seconds after START. */
export function someFid(afterS = 0): string {
  return newFid((START + afterS) * 1000, randomBytes(8))
}

/** A run as a launcher creates it. */
export function someRun(fid: string, change: Partial<NewRun> = {}, launcher = 'direct'): NewRun & { launcher: string; idempotencyKey: null } {
  const run = { fid, flow: 'trip-planner', version: '1', user: 'ada', summary: 'Plans a trip', tags: ['travel'], parent: null, inputs: { city: 'Rome' } }
  return { ...run, createdAt: START, launcher, idempotencyKey: null, ...change }
}

/** One record; `ts` follows from the position, so that equal calls give equal records. */
export function record<K extends EventKind>(epoch: number, seq: number, kind: K, data: EventData[K], step: string | null = null): EventRecord {
  return { epoch, seq, ts: START + seq / 8, kind, step, data: toJsonText(data) }
}

/** The first event of an epoch, sealing what was before. */
export function attempt(epoch: number, prev: Position, more: Partial<EventData['attempt']> = {}): EventRecord {
  return record(epoch, 1, 'attempt', { attempt: 1, reason: 'start', owner: 'host:1', prev: formatPosition(prev), ...more })
}

/** A status event. */
export function status(epoch: number, seq: number, word: EventData['status']['status'], until: number | null = null): EventRecord {
  return record(epoch, seq, 'status', { status: word, until })
}

/** What a run is called and given. */
export function meta(epoch: number, seq: number, change: Partial<EventData['meta']> = {}): EventRecord {
  return record(epoch, seq, 'meta', { flow: 'trip-planner', version: '1', summary: 'Plans a trip', tags: ['travel'], user: 'ada', ...change })
}

/** `count` lines of output from `firstSeq` on. */
export function lines(epoch: number, firstSeq: number, count: number): EventRecord[] {
  return Array.from({ length: count }, (_, i) => record(epoch, firstSeq + i, 'stdout', { text: `line ${firstSeq + i} of ${epoch} — “ü” 🚂` }))
}

/** Seal, status, inputs, meta and status of a fresh run: seq 1 to 5. */
export function opening(epoch: number): EventRecord[] {
  return [
    attempt(epoch, { epoch: 0, seq: 0 }),
    status(epoch, 2, 'starting'),
    record(epoch, 3, 'inputs', { inputs: { city: 'Rome' } }),
    meta(epoch, 4),
    status(epoch, 5, 'running'),
  ]
}

/** A whole plain run in one epoch with `body` lines between its opening and its end. */
export function plainRun(epoch: number, body: number): EventRecord[] {
  const end = 6 + body
  const final = record(epoch, end, 'final', { type: 'markdown', value: '# Rome' })
  return [...opening(epoch), ...lines(epoch, 6, body), final, status(epoch, end + 1, 'finished')]
}

/** The whole timeline, read in pages of `limit`; fails when the reader does not come to an end. */
export async function timeline(store: ExecutionStore, fid: string, limit = 7): Promise<EventRecord[]> {
  const records: EventRecord[] = []
  let after: Position = { epoch: 0, seq: 0 }
  for (let pages = 0; pages < 10_000; pages++) {
    const page = await store.reader.read(fid, { after, limit })
    records.push(...page.records)
    if (page.caughtUp) return records
    if (page.records.length === 0) throw new Error(`an empty page of run ${fid} after ${formatPosition(after)} is not caught up`)
    after = page.scanned
  }
  throw new Error(`the timeline of run ${fid} has no end`)
}

/** Positions as text, to compare at a glance. */
export function positions(records: readonly Position[]): string[] {
  return records.map(formatPosition)
}
