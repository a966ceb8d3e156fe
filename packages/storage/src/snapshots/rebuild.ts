import type { StoreKeeper } from '../port/keeper.ts'
import { PROJECTOR } from '../projection.ts'

/** A run whose stored state is not what its events give, and in what. */
export type Deviation = { readonly fid: string; readonly differs: readonly string[] }

/** `write`: put right what deviates; else only say it. */
export type RebuildOptions = { readonly write: boolean; readonly signal?: AbortSignal; readonly onProgress?: (runs: number) => void }

const PAGE = 100

/** Folds every run anew from its events, with what was decided about its timeline, and compares. Runs go on meanwhile: each is folded under its own lock. */
export async function rebuild(
  keeper: StoreKeeper,
  { write, signal, onProgress }: RebuildOptions,
): Promise<{ readonly runs: number; readonly deviations: readonly Deviation[] }> {
  const deviations: Deviation[] = []
  let runs = 0
  for (let after: string | null = null; signal?.aborted !== true;) {
    const page = await keeper.storedRuns(after, PAGE)
    const last = page.at(-1)
    if (!last) break
    after = last.fid
    const refolded = await keeper.refold(page, { mode: 'decided', write, launcher: '' })
    deviations.push(...refolded.filter(({ differs }) => differs.length > 0))
    runs += page.length
    onProgress?.(runs)
  }
  return { runs, deviations }
}

/** `onBegin`: called before anything is changed, not when an upgrade goes on that was cut off. */
export type UpgradeOptions = { readonly signal?: AbortSignal; readonly onBegin?: () => Promise<void> }

/**
 * Brings projections that an older projector made up to this one, while everything goes on. Killed and called again it goes on where it was. False when there was nothing to do.
 */
export async function upgradeProjections(keeper: StoreKeeper, { signal, onBegin }: UpgradeOptions = {}): Promise<boolean> {
  const before = await keeper.projection()
  if (before.version >= PROJECTOR) return false
  if (before.cursor === null) await onBegin?.()
  let { cursor } = before
  while (signal?.aborted !== true) {
    const page = await keeper.storedRuns(cursor, PAGE)
    const last = page.at(-1)
    if (!last) {
      await keeper.setProjection({ version: PROJECTOR, cursor: null })
      return true
    }
    await keeper.refold(page, { mode: 'decided', write: true, launcher: '' })
    cursor = last.fid
    await keeper.setProjection({ version: before.version, cursor })
  }
  return true
}
