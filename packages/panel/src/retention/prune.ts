import type { FileFolder } from '@koco/flow'
import type { EndedRun } from '@koco/storage'
import { Starting } from '../files/starting.ts'
import type { PanelDeps } from '../options.ts'
import { archiveRun } from './archive.ts'
import { createJudge, keepsEverything, type ChosenRun, type RetentionPolicy, type RetentionReason } from './policy.ts'

/** `archiveDir`: where runs are written before they go, null to let them go for good. `dryRun`: only say which. `signal`: stop between two batches. */
export type PruneOptions = {
  readonly policy: RetentionPolicy
  readonly archiveDir: string | null
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
  readonly onRun?: (run: ChosenRun) => void
}

/** What went. `bytes`: about so much was freed within the store and the files of runs. */
export type PruneReport = {
  readonly runs: number
  readonly events: number
  readonly bytes: number
  readonly reasons: Readonly<Record<RetentionReason, number>>
}

/** What pruning works on. */
export type PruneDeps = Pick<PanelDeps, 'store' | 'contents' | 'clock' | 'uploadDir'> & { readonly files: FileFolder }

const PAGE = 500
const BATCH = 50

/**
 * Takes away runs that are over and that the policy does not keep: the oldest first, with their files, after they were archived. It may be killed at any moment and run again, and several may run at
 * once, beside a running server too.
 */
export async function pruneRuns(deps: PruneDeps, options: PruneOptions): Promise<PruneReport> {
  const { policy, dryRun = false, signal, onRun } = options
  const nowS = deps.clock() / 1000
  const endedBefore = nowS - policy.graceS
  const chosen = keepsEverything(policy) ? [] : await choose(deps, policy, nowS, endedBefore, signal)
  const gone: ChosenRun[] = []
  for (let at = 0; at < chosen.length && signal?.aborted !== true; at += BATCH) {
    const batch = chosen.slice(at, at + BATCH)
    const went = dryRun ? batch : await take(deps, batch, endedBefore, options.archiveDir)
    for (const run of went) onRun?.(run)
    gone.push(...went)
    while (!dryRun && (await deps.store.keeper.reclaim()));
  }
  return report(gone)
}

async function choose(deps: PruneDeps, policy: RetentionPolicy, nowS: number, endedBefore: number, signal?: AbortSignal): Promise<ChosenRun[]> {
  const judge = createJudge(policy, nowS)
  const chosen: ChosenRun[] = []
  for (let cursor: string | undefined; signal?.aborted !== true;) {
    const page = await deps.store.keeper.ended({ endedBefore, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    for (const run of page.items) {
      const weighed = await withFiles(deps.files, run)
      const reason = judge(weighed)
      if (reason) chosen.push({ ...weighed, reason })
    }
    if (page.next === null) break
    cursor = page.next
  }
  return chosen.toReversed()
}

async function withFiles(files: FileFolder, run: EndedRun): Promise<EndedRun> {
  return { ...run, bytes: run.bytes + (await files.storedBytes(run.fid)) }
}

/** A note of each run's files comes first, so that they are found and taken away although everything died after the run had gone. */
async function take(deps: PruneDeps, batch: readonly ChosenRun[], endedBefore: number, archiveDir: string | null): Promise<ChosenRun[]> {
  const { store, files, uploadDir } = deps
  if (archiveDir !== null) for (const { fid } of batch) await archiveRun(deps, archiveDir, fid)
  const notes = new Starting(uploadDir, files)
  const fids = batch.map(({ fid }) => fid)
  const withFolders = new Set<string>()
  for (const fid of fids) if ((await files.list(fid)).length > 0) withFolders.add(fid)
  for (const fid of withFolders) await notes.note(fid)
  const gone = new Set(await store.keeper.remove(fids, endedBefore))
  for (const fid of withFolders) await (gone.has(fid) ? notes.undo(fid) : notes.done(fid))
  return batch.filter(({ fid }) => gone.has(fid))
}

function report(gone: readonly ChosenRun[]): PruneReport {
  const sum = (value: (run: ChosenRun) => number) => gone.reduce((total, run) => total + value(run), 0)
  const by = (reason: RetentionReason) => gone.filter((run) => run.reason === reason).length
  return {
    runs: gone.length,
    events: sum((run) => run.events),
    bytes: sum((run) => run.bytes),
    reasons: { age: by('age'), runs: by('runs'), bytes: by('bytes') },
  }
}
