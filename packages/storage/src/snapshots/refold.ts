import { canonicalJson, comparePositions, newRunState, toJson, type EventRecord, type LockState, type RunState } from '@koco/core'
import type { RefoldMode, RunCopy } from '../port/keeper.ts'
import { foldRun, replayRun, type FoldResult } from '../projection.ts'

/** A run folded anew from all records that are stored of it, in position order. What events do not tell (launcher, archived, answers …) stays. Pure. */
export function refoldRun(copy: RunCopy, records: readonly EventRecord[], mode: RefoldMode): RunCopy {
  if (mode === 'scratch') return folded({ ...copy, seals: [], holes: [] }, foldRun(fresh(copy.state), NO_LOCKS, records), NO_LOCKS, records)
  const above = records.filter((record) => comparePositions(record, copy.state.lastPosition) > 0)
  if (mode === 'above') {
    const locks = new Map(copy.locks.map((lock) => [lock.lid, lock]))
    return folded(copy, foldRun(copy.state, locks, above), locks, records)
  }
  const timeline = records.filter((record) => comparePositions(record, copy.state.lastPosition) <= 0 && isDecided(copy, record))
  const { state, locks } = replayRun(fresh(copy.state), timeline)
  return folded(copy, foldRun(state, locks, above), locks, records)
}

/** The names of what differs between two copies of a run, as far as events tell it. */
export function differences(a: RunCopy, b: RunCopy): string[] {
  const keys = (Object.keys(a.state) as (keyof RunState)[]).toSorted(compareText)
  const inState = keys.filter((key) => canonicalJson(toJson(a.state[key] ?? null)) !== canonicalJson(toJson(b.state[key] ?? null)))
  const parts = (['locks', 'seals', 'holes', 'waiting'] as const).filter((part) => canonicalJson(toJson(a[part])) !== canonicalJson(toJson(b[part])))
  return [...inState, ...parts]
}

const NO_LOCKS: ReadonlyMap<string, LockState> = new Map()

/** A run before its first event. What it is called stays: only the launcher told it of a run without a `meta` event. */
function fresh({ fid, flow, version, user, summary, tags, parent, inputs, createdAt }: RunState): RunState {
  return newRunState({ fid, flow, version, user, summary, tags, parent, inputs, createdAt })
}

/** As readers see it: not above the seal of its epoch, not in a declared hole, not of an epoch that never counted. */
function isDecided({ state: { lastPosition }, seals, holes }: RunCopy, record: EventRecord): boolean {
  if (record.epoch !== lastPosition.epoch && record.seq > (seals.find(({ epoch }) => epoch === record.epoch)?.lastSeq ?? 0)) return false
  return !holes.some((hole) => comparePositions(hole.from, record) <= 0 && comparePositions(record, hole.to) <= 0)
}

function folded(copy: RunCopy, fold: FoldResult, before: ReadonlyMap<string, LockState>, records: readonly EventRecord[]): RunCopy {
  const locks = new Map([...before, ...fold.locks.map((lock) => [lock.lid, lock] as const)])
  return {
    ...copy,
    state: fold.state,
    topEpoch: Math.max(copy.topEpoch, records.at(-1)?.epoch ?? 0),
    waiting: fold.waiting > 0,
    locks: [...locks.values()].toSorted((a, b) => compareText(a.lid, b.lid)),
    seals: [...copy.seals, ...fold.closed],
    holes: [...copy.holes, ...fold.holes],
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
