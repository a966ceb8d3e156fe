import { parseJson } from '@koco/core'
import type { RunLine, StoreKeeper, StorePart } from '../port/keeper.ts'
import { readSnapshot, type SnapshotFile, type SnapshotFolder, type SnapshotKind } from './files.ts'
import { headOf } from './take.ts'

/** What a cold load did. `snapshot`: the file that it began from, null for a full replay. `folded`: runs of which events were read. */
export type ColdLoad = { readonly snapshot: string | null; readonly passedOver: readonly string[]; readonly runs: number; readonly folded: number }

/** `fromScratch`: no snapshot is looked at. `launcher`: whose the runs are of which only events are left. */
export type ColdLoadOptions = { readonly fromScratch?: boolean; readonly launcher: string; readonly onProgress?: (runs: number) => void }

const KINDS: readonly SnapshotKind[] = ['periodic', 'manual', 'before-migrate']
const PAGE = 500
const PARTS = ['runs', 'sessions', 'schedules', 'dead', 'side'] as const

/**
 * Fills an empty store from what is stored of its events: from the newest snapshot that is whole, then what is stored above it; from older ones when that one is damaged; from all events when there is
 * none. What comes out is what a full replay gives. What only the index held and no event tells (schedules, conversations, answers not yet taken, who launches) is as old as the snapshot.
 */
export async function coldLoad(keeper: StoreKeeper, folder: SnapshotFolder, options: ColdLoadOptions): Promise<ColdLoad> {
  const passedOver: string[] = []
  let used: SnapshotFile | undefined
  for (const file of options.fromScratch ? [] : await newestFirst(folder)) {
    if (await headOf(file.path)) {
      used = file
      break
    }
    passedOver.push(file.name)
  }
  const known = new Set<string>()
  let folded = used ? await load(keeper, used.path, known) : 0
  for (let after: string | null = null; ;) {
    const page = await keeper.storedRuns(after, PAGE)
    const last = page.at(-1)
    if (!last) break
    after = last.fid
    const unknown = page.filter(({ fid }) => !known.has(fid))
    await keeper.refold(unknown, { mode: 'scratch', write: true, launcher: options.launcher })
    for (const { fid } of unknown) known.add(fid)
    folded += unknown.length
    options.onProgress?.(known.size)
  }
  return { snapshot: used?.path ?? null, passedOver, runs: known.size, folded }
}

async function newestFirst(folder: SnapshotFolder): Promise<SnapshotFile[]> {
  const all = await Promise.all(KINDS.map(async (kind) => await folder.list(kind)))
  return all.flat().toSorted((a, b) => b.at - a.at || b.n - a.n)
}

/** Gives how many runs had to be folded on. The file was checked when its head was read. */
async function load(keeper: StoreKeeper, path: string, known: Set<string>): Promise<number> {
  let folded = 0
  let part: { kind: StorePart['kind']; lines: object[] } | undefined
  const flush = async (): Promise<void> => {
    if (part) folded += await keeper.restore(part as unknown as StorePart)
    part = undefined
  }
  let isHead = true
  for await (const text of readSnapshot(path, true)) {
    if (isHead) {
      isHead = false
      continue
    }
    const { line: kind, ...line } = parseJson(text) as unknown as { readonly line: StorePart['kind'] } & object
    if (!PARTS.includes(kind)) continue
    if (part && (part.kind !== kind || part.lines.length >= PAGE)) await flush()
    part ??= { kind, lines: [] }
    part.lines.push(line)
    if (kind === 'runs') known.add((line as RunLine).copy.state.fid)
  }
  await flush()
  return folded
}
