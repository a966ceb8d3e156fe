import { toJsonText } from '@koco/core'
import type { StoreKeeper, StorePart } from '../port/keeper.ts'
import { PROJECTOR } from '../projection.ts'
import { readSnapshot, type SnapshotFile, type SnapshotFolder, type SnapshotKind } from './files.ts'

/** What the first line of a snapshot says: of which form and projector it is, when it was made (unix ms), how many runs and events it stands for. */
export type SnapshotHead = { readonly format: 1; readonly projector: number; readonly at: number; readonly runs: number; readonly events: number }

/** Writes what is folded from events, with the position to which each run is folded, as it all is at one moment. */
export async function takeSnapshot(keeper: StoreKeeper, folder: SnapshotFolder, kind: SnapshotKind, atMs: number): Promise<SnapshotFile> {
  return await folder.write(kind, atMs, linesOf(keeper, atMs))
}

/** The head of a snapshot; null for one that is damaged, or of another form or projector than this code's. */
export async function headOf(path: string): Promise<SnapshotHead | null> {
  try {
    for await (const line of readSnapshot(path)) {
      const head = JSON.parse(line) as SnapshotHead
      return head.format === 1 && head.projector === PROJECTOR ? head : null
    }
  } catch {
    // Damaged: whoever asks takes an older one.
  }
  return null
}

/** The parts come as the store reads them, and the head has to come first: the parts wait in a queue of one. */
async function* linesOf(keeper: StoreKeeper, at: number): AsyncGenerator<string> {
  const [{ runs, events }, { version: projector }] = [await keeper.totals(), await keeper.projection()]
  yield JSON.stringify({ format: 1, projector, at, runs, events } satisfies SnapshotHead)
  let give: (part: StorePart | null) => void = () => undefined
  let next = new Promise<StorePart | null>((resolve) => (give = resolve))
  let taken: () => void = () => undefined
  const reading = keeper.moment(
    (part) =>
      new Promise<void>((resolve) => {
        taken = resolve
        give(part)
      }),
  )
  const ended = reading.finally(() => give(null))
  for (let part = await next; part !== null; part = await next) {
    next = new Promise((resolve) => (give = resolve))
    for (const line of part.lines) yield toJsonText({ line: part.kind, ...line })
    taken()
  }
  await ended
}
