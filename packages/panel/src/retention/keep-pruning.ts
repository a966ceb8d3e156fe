import type { PanelDeps } from '../options.ts'
import { keepsEverything, type RetentionPolicy } from './policy.ts'
import { pruneRuns, type PruneDeps } from './prune.ts'

/** `everyMs`: from the end of one round to the start of the next. */
export type KeepPruningOptions = { readonly policy: RetentionPolicy; readonly archiveDir: string | null; readonly everyMs: number }

const FIRST_AFTER_MS = 60_000

/**
 * Prunes by policy while the process lives: the first time a minute after the start, so that a start is not slowed, then every `everyMs`. Of several processes over one store one does it. Gives the
 * function that ends it and resolves when nothing is under way.
 */
export function keepPruning(deps: PruneDeps & Pick<PanelDeps, 'log'>, { policy, archiveDir, everyMs }: KeepPruningOptions): () => Promise<void> {
  if (keepsEverything(policy)) return () => Promise.resolve()
  const stop = new AbortController()
  let working: Promise<void> = Promise.resolve()
  const work = async (): Promise<void> => {
    await round(deps, policy, archiveDir, stop.signal)
    if (!stop.signal.aborted) timer = later(everyMs)
  }
  const later = (ms: number): NodeJS.Timeout =>
    setTimeout(() => {
      working = work()
    }, ms).unref()
  let timer = later(Math.min(FIRST_AFTER_MS, everyMs))
  return async () => {
    stop.abort()
    clearTimeout(timer)
    await working
  }
}

async function round(deps: PruneDeps & Pick<PanelDeps, 'log'>, policy: RetentionPolicy, archiveDir: string | null, signal: AbortSignal): Promise<void> {
  const { store, log } = deps
  try {
    const giveBack = await store.exclusive('prune')
    if (!giveBack) return
    try {
      const report = await pruneRuns(deps, { policy, archiveDir, signal })
      if (report.runs > 0) log.info({ ...report, archive: archiveDir }, `${report.runs} runs that are over were taken away by the retention policy`)
    } finally {
      await giveBack()
    }
  } catch (error) {
    // What is left is met again by the next round.
    log.warn({ err: error }, 'runs could not be taken away by the retention policy; the next round tries again')
  }
}
