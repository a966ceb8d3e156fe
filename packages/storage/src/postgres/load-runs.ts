import type { LockState } from '@koco/core'
import { must } from '@koco/core'
import type { Client } from 'pg'
import { doubleArray, textArray } from './binary-array.ts'
import type { LockedRun } from './batch.ts'
import { toLock, type LockRow } from './lock-row.ts'
import type { KnownRun, RunCache } from './run-cache.ts'
import { toFoldable, type SummaryRow } from './run-row.ts'
import { unknownRun } from '../projection.ts'
import { IMPORTED } from '../tally.ts'
import { ADD_UNKNOWN_RUNS, LOAD_LOCKS, LOAD_RUNS, LOCK_RUNS, run } from './statements.ts'
import { inPipeline } from './transaction.ts'

type LockedRow = {
  readonly fid: string
  readonly flow: string
  readonly last_epoch: number
  readonly last_seq: number
  readonly waiting: number
  readonly has_locks: boolean
  readonly launcher: string
  readonly rewritten: number
}
type Loaded = { readonly rows: readonly LockedRow[]; readonly states: readonly SummaryRow[] }

// A statement that is planned while its table is nearly empty reads the whole table from then on, until the next ANALYZE. All that a write does is look up keys, so only that is left to the planner.
const BEGIN =
  'begin isolation level read committed; set local synchronous_commit = on; set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off'

/**
 * Begins a transaction and locks the rows of these runs, making rows for those that have none. One round trip, and a second one for runs that were not written
 * here last and have locks, that somebody else wrote meanwhile, or that are unknown.
 */
export async function beginWithRuns(client: Client, cache: RunCache, fids: readonly string[]): Promise<Map<string, LockedRun>> {
  const [, loaded] = await inPipeline(client, () => [client.query(BEGIN), lockAndLoad(client, cache, fids)])
  const rows = new Map(loaded.rows.map((row) => [row.fid, row]))
  const states = new Map(loaded.states.map((row) => [row.fid, row]))
  const missing = fids.filter((fid) => !rows.has(fid))
  if (missing.length > 0) {
    const added = await addUnknown(client, missing)
    for (const row of added.rows) rows.set(row.fid, row)
    for (const row of added.states) states.set(row.fid, row)
  }
  return await complete(client, cache, rows, states)
}

async function lockAndLoad(client: Client, cache: RunCache, fids: readonly string[]): Promise<Loaded> {
  const uncached = fids.filter((fid) => !cache.has(fid))
  const [rows, states] = await inPipeline(client, () => [
    run<LockedRow>(client, LOCK_RUNS, [textArray([...fids].sort())]),
    uncached.length === 0 ? Promise.resolve([]) : run<SummaryRow>(client, LOAD_RUNS, [textArray(uncached)]),
  ])
  return { rows, states }
}

async function addUnknown(client: Client, fids: readonly string[]): Promise<Loaded> {
  const starts = fids.map((fid) => unknownRun(fid).createdAt)
  const [, rows, states] = await inPipeline(client, () => [
    run(client, ADD_UNKNOWN_RUNS, [textArray(fids), doubleArray(starts)]),
    run<LockedRow>(client, LOCK_RUNS, [textArray([...fids].sort())]),
    run<SummaryRow>(client, LOAD_RUNS, [textArray(fids)]),
  ])
  return { rows, states }
}

async function complete(
  client: Client,
  cache: RunCache,
  rows: ReadonlyMap<string, LockedRow>,
  states: Map<string, SummaryRow>,
): Promise<Map<string, LockedRun>> {
  const known = new Map<string, KnownRun>()
  for (const row of rows.values()) {
    const found = cache.at(row.fid, { epoch: row.last_epoch, seq: row.last_seq }, row.rewritten)
    // A row that only events had made may have been created since.
    if (found?.state.flow === row.flow) known.set(row.fid, found)
  }
  const others = [...rows.values()].filter((row) => !known.has(row.fid))
  const stale = others.filter((row) => !states.has(row.fid)).map((row) => row.fid)
  const withLocks = others.filter((row) => row.has_locks).map((row) => row.fid)
  const [again, lockRows] = await inPipeline(client, () => [
    stale.length === 0 ? Promise.resolve([]) : run<SummaryRow>(client, LOAD_RUNS, [textArray(stale)]),
    withLocks.length === 0 ? Promise.resolve([]) : run<LockRow>(client, LOAD_LOCKS, [textArray(withLocks)]),
  ])
  for (const row of again) states.set(row.fid, row)
  const locks = Map.groupBy(lockRows, (row) => row.fid)
  return new Map([...rows.values()].map((row) => [row.fid, lockedRun(row, known.get(row.fid), states, locks)]))
}

function lockedRun(
  { fid, waiting, launcher, rewritten }: LockedRow,
  known: KnownRun | undefined,
  states: ReadonlyMap<string, SummaryRow>,
  locks: ReadonlyMap<string, readonly LockRow[]>,
): LockedRun {
  const counts = launcher !== IMPORTED
  if (known) return { fid, ...known, waiting: waiting > 0, counts }
  const byLid = new Map<string, LockState>((locks.get(fid) ?? []).map((row) => [row.lid, toLock(row)]))
  return { fid, state: toFoldable(must(states.get(fid), `row of run ${fid}`)), locks: byLid, waiting: waiting > 0, counts, rewritten }
}
