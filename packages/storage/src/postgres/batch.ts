import type { EventRecord, LockState, Position, RunState } from '@koco/core'
import { comparePositions, formatPosition } from '@koco/core'
import { foldRun, type FoldResult } from '../projection.ts'
import type { RunRecords, WriteAlarm } from '../port/events.ts'
import { inOrder, sameContent } from '../records.ts'

/** The records of one run in a batch: in position order, each position once. */
export type GatheredRun = {
  readonly fid: string
  readonly records: readonly EventRecord[]
  readonly duplicates: number
  readonly alarms: readonly WriteAlarm[]
}

/** A run as it is stored, locked for this transaction. `waiting`: events are stored above its last position, behind a hole. `counts`: what it does is added to the tallies. */
export type LockedRun = {
  readonly fid: string
  readonly state: RunState
  readonly locks: ReadonlyMap<string, LockState>
  readonly waiting: boolean
  readonly counts: boolean
  readonly rewritten: number
}

/** A batch's records of a run, sorted by what the locked row says. `fresh` are certainly not stored yet, `doubtful` may be. */
export type SortedRun = {
  readonly gathered: GatheredRun
  readonly locked: LockedRun
  readonly fresh: readonly EventRecord[]
  readonly doubtful: readonly EventRecord[]
}

/** What became of the doubtful records: those that were stored now, and, when events wait, all that are stored above the last position. */
export type Settled = { readonly inserted: readonly EventRecord[]; readonly above: readonly EventRecord[]; readonly alarms: readonly WriteAlarm[] }

/** A run with its new events folded in. */
export type FoldedRun = { readonly sorted: SortedRun; readonly settled: Settled; readonly fold: FoldResult }

/** Puts the records of each run together, in the order in which the runs first come. */
export function gather(batch: readonly RunRecords[]): GatheredRun[] {
  const byFid = new Map<string, readonly EventRecord[]>()
  for (const { fid, records } of batch) {
    const before = byFid.get(fid)
    byFid.set(fid, before ? [...before, ...records] : records)
  }
  return [...byFid].map(([fid, records]) => withoutRepeats(fid, inOrder(records)))
}

/** Tells apart what is certainly new: only the writer that holds the row's lock adds events, so above the last position there is nothing unless the row says so. */
export function sort(gathered: GatheredRun, locked: LockedRun): SortedRun {
  const { records } = gathered
  if (locked.waiting) return { gathered, locked, fresh: [], doubtful: records }
  const first = records.findIndex((record) => comparePositions(record, locked.state.lastPosition) > 0)
  const cut = first === -1 ? records.length : first
  return { gathered, locked, fresh: records.slice(cut), doubtful: records.slice(0, cut) }
}

/** Folds what is new of a run into its state. Throws PoisonError for data that is no JSON. */
export function fold(sorted: SortedRun, settled: Settled): FoldedRun {
  const { state, locks, waiting } = sorted.locked
  const below = settled.inserted.filter((record) => comparePositions(record, state.lastPosition) <= 0)
  const records = waiting ? [...below, ...settled.above] : below.length > 0 ? [...below, ...sorted.fresh] : sorted.fresh
  return { sorted, settled, fold: foldRun(state, locks, records) }
}

/** The alarm for another content at a place that is taken. */
export function conflict(fid: string, { epoch, seq }: Position): WriteAlarm {
  const note = `another event is stored at ${formatPosition({ epoch, seq })}; the first one stays. Two writers used one epoch.`
  return { fid, position: { epoch, seq }, alarm: 'conflict', note }
}

function withoutRepeats(fid: string, ordered: readonly EventRecord[]): GatheredRun {
  const alarms: WriteAlarm[] = []
  const records = ordered.filter((record, index) => {
    const before = ordered[index - 1]
    if (!before || comparePositions(before, record) !== 0) return true
    if (!sameContent(before, record)) alarms.push(conflict(fid, record))
    return false
  })
  return { fid, records, duplicates: ordered.length - records.length, alarms }
}
