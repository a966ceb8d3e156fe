import { comparePositions, parseJson, RefusedError, type Position } from '@koco/core'
import type { Refolded, Restored, StoreKeeper, StorePart } from '../port/keeper.ts'
import { readSnapshot, type SnapshotFile, type SnapshotFolder, type SnapshotKind } from './files.ts'
import { headOf } from './take.ts'

/** The run whose position is the highest, the one whose try began last, and when the event there came (unix seconds). */
export type LastPosition = { readonly fid: string; readonly position: Position; readonly at: number }

/**
 * What a cold load did. `snapshot`: the file that it began from, null for a full replay. `folded`: runs of which events were read. `events`: how many the store now stands for. `positions`: how far each
 * run is folded, by fid; events have an order within their run and none over all runs, so these together are where the store stands. `last`: the highest of them, null without any event.
 */
export type ColdLoad = {
  readonly snapshot: string | null
  readonly passedOver: readonly string[]
  readonly runs: number
  readonly folded: number
  readonly events: number
  readonly positions: ReadonlyMap<string, Position>
  readonly last: LastPosition | null
}

/** `launcher`: whose the runs are of which only events are left. */
export type RestoreOptions = { readonly launcher: string; readonly onProgress?: (runs: number) => void }

/** `fromScratch`: no snapshot is looked at. `from`: the one file to begin from, as `restoreSnapshot` does. */
export type ColdLoadOptions = RestoreOptions & { readonly fromScratch?: boolean; readonly from?: string }

const KINDS: readonly SnapshotKind[] = ['periodic', 'manual', 'before-migrate']
const PAGE = 500
/** Small, so that the store is at work soon. */
const LINES_MAX = 250
/** Parts on their way into the store: while it takes one, the next is read. */
const PARTS_MAX = 2
const PARTS = ['runs', 'sessions', 'schedules', 'dead', 'side'] as const

/**
 * Fills an empty store from what is stored of its events: from the newest snapshot that is whole, then what is stored above it; from older ones when that one is damaged; from all events when there is
 * none. What comes out is what a full replay gives. What only the index held and no event tells (schedules, conversations, answers not yet taken, who launches) is as old as the snapshot.
 * RefusedError `not_empty`; `bad_snapshot` of a file that was named.
 */
export async function coldLoad(keeper: StoreKeeper, folder: SnapshotFolder, options: ColdLoadOptions): Promise<ColdLoad> {
  if (options.from !== undefined) return await restoreSnapshot(keeper, options.from, options)
  const passedOver: string[] = []
  for (const file of options.fromScratch ? [] : await newestFirst(folder)) {
    if (await headOf(file.path)) return await fill(keeper, file.path, passedOver, options)
    passedOver.push(file.name)
  }
  return await fill(keeper, null, passedOver, options)
}

/** Fills an empty store from this snapshot and what is stored above it. RefusedError `bad_snapshot`: it is not there, damaged, or of another koco's form; `not_empty`. */
export async function restoreSnapshot(keeper: StoreKeeper, path: string, options: RestoreOptions): Promise<ColdLoad> {
  if (!(await headOf(path))) {
    throw new RefusedError(`${path} is no snapshot that this koco can restore: it is missing, damaged, or made by another version. Give another one.`, {
      code: 'bad_snapshot',
    })
  }
  return await fill(keeper, path, [], options)
}

async function newestFirst(folder: SnapshotFolder): Promise<SnapshotFile[]> {
  const all = await Promise.all(KINDS.map(async (kind) => await folder.list(kind)))
  return all.flat().toSorted((a, b) => b.at - a.at || b.n - a.n)
}

async function fill(keeper: StoreKeeper, snapshot: string | null, passedOver: readonly string[], options: RestoreOptions): Promise<ColdLoad> {
  const before = await keeper.totals()
  if (before.runs > 0) {
    throw new RefusedError(`A snapshot is restored into an empty store only; this one holds ${before.runs} runs. To put them right, run: koco rebuild`, {
      code: 'not_empty',
    })
  }
  const positions = new Map<string, Position>()
  let folded = snapshot === null ? 0 : await load(keeper, snapshot, positions)
  for (let after: string | null = null; ;) {
    const page = await keeper.storedRuns(after, PAGE)
    const unknown = page.filter(({ fid }) => !positions.has(fid))
    const made = unknown.length > 0 ? await keeper.refold(unknown, { mode: 'scratch', write: true, launcher: options.launcher }) : []
    note(positions, made)
    folded += made.length
    options.onProgress?.(positions.size)
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    after = last.fid
  }
  const { runs, events } = await keeper.totals()
  return { snapshot, passedOver, runs, folded, events, positions, last: await lastOf(keeper, positions) }
}

/** Gives how many runs had to be folded on. The file was checked when its head was read. */
async function load(keeper: StoreKeeper, path: string, positions: Map<string, Position>): Promise<number> {
  let folded = 0
  const underWay: Promise<Restored>[] = []
  let kind: StorePart['kind'] | undefined
  const settle = async (most: number): Promise<void> => {
    while (underWay.length > most) {
      const restored = await underWay.shift()
      if (!restored) continue
      note(positions, restored.folded)
      for (const fid of restored.gone) positions.delete(fid)
      folded += restored.folded.length
    }
  }
  try {
    for await (const part of partsOf(path)) {
      // Side rows may tell of the same as a run that is folded on: one after the other.
      if (part.kind !== kind) await settle(0)
      kind = part.kind
      if (part.kind === 'runs') for (const { copy } of part.lines) positions.set(copy.state.fid, copy.state.lastPosition)
      underWay.push(keeper.restore(part))
      await settle(PARTS_MAX)
    }
    await settle(0)
  } finally {
    await Promise.allSettled(underWay)
  }
  return folded
}

async function* partsOf(path: string): AsyncGenerator<StorePart> {
  let part: { readonly kind: StorePart['kind']; readonly lines: object[] } | undefined
  let isHead = true
  for await (const text of readSnapshot(path, true)) {
    if (isHead) {
      isHead = false
      continue
    }
    const { line: kind, ...line } = parseJson(text) as unknown as { readonly line: StorePart['kind'] } & object
    if (!PARTS.includes(kind)) continue
    if (part && (part.kind !== kind || part.lines.length >= LINES_MAX)) {
      yield part as unknown as StorePart
      part = undefined
    }
    part ??= { kind, lines: [] }
    part.lines.push(line)
  }
  if (part) yield part as unknown as StorePart
}

function note(positions: Map<string, Position>, refolded: readonly Refolded[]): void {
  for (const { fid, position } of refolded) positions.set(fid, position)
}

async function lastOf(keeper: StoreKeeper, positions: ReadonlyMap<string, Position>): Promise<LastPosition | null> {
  let last: { readonly fid: string; readonly position: Position } | undefined
  for (const [fid, position] of positions) if (!last || comparePositions(position, last.position) > 0) last = { fid, position }
  if (!last || last.position.epoch === 0) return null
  const { epoch, seq } = last.position
  const { records } = await keeper.records(last.fid, { epoch, seq: seq - 1 }, 1)
  return { ...last, at: records[0]?.ts ?? epoch / 1000 }
}
