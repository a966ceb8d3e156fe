import { resolve } from 'node:path'
import { formatPosition } from '@koco/core'
import { type ColdLoad, keepSnapshots, recoverLostIndex, SnapshotFolder, takeSnapshot, upgradeProjections, type ExecutionStore } from '@koco/storage'
import type { Logger } from 'pino'
import { executionPlace } from './stores.ts'
import type { Settings } from '../settings/schema.ts'

/** Where snapshots lie. */
export function snapshotFolder(settings: Settings, cwd: string): SnapshotFolder {
  return new SnapshotFolder(resolve(cwd, settings.snapshotDir))
}

/** Makes a lost index of runs again before the store is opened; says what it did. */
export async function recoverRuns(settings: Settings, cwd: string, log: Logger): Promise<void> {
  const { dir } = executionPlace(settings, cwd)
  if (dir === undefined) return
  const done = await recoverLostIndex(dir, snapshotFolder(settings, cwd), { launcher: settings.executionMode })
  if (!done) return
  const { positions: _positions, ...told } = done
  log.warn(told, `the index of ${dir} was gone and was made again from ${done.snapshot ?? 'all events'}; what lay in the index alone since then is lost`)
}

/** What a cold load did, in one sentence. */
export function loadInWords({ snapshot, runs, events, folded, last }: ColdLoad): string {
  const end = last && `; the last position is ${formatPosition(last.position)} of run ${last.fid}, of ${new Date(last.at * 1000).toISOString()}`
  return `${runs} runs with ${events} events made again from ${snapshot ?? 'all events'}, ${folded} of them folded from events${end ?? ''}`
}

/** Keeps snapshots while this process lives, and brings projections of an older koco up; gives the function that ends both. */
export function startSnapshots(settings: Settings, cwd: string, { store, log }: { readonly store: ExecutionStore; readonly log: Logger }): () => Promise<void> {
  const child = log.child({ part: 'snapshots' })
  const stop = new AbortController()
  const folder = snapshotFolder(settings, cwd)
  const upgrading = upgrade(store, folder, child, stop.signal)
  const policy = { events: settings.snapshotEvents, everyMs: settings.snapshotEvery * 1000, keep: settings.snapshotKeep }
  const end = settings.snapshotEvents === 0 ? () => Promise.resolve() : keepSnapshots({ store, folder, clock: Date.now, log: child }, policy)
  return async () => {
    stop.abort()
    await Promise.all([end(), upgrading])
  }
}

async function upgrade(store: ExecutionStore, folder: SnapshotFolder, log: Logger, signal: AbortSignal): Promise<void> {
  const onBegin = async (): Promise<void> => {
    await takeSnapshot(store.keeper, folder, 'before-migrate', Date.now())
  }
  try {
    if (await upgradeProjections(store.keeper, { signal, onBegin })) log.info('the runs were folded anew for this version')
  } catch (error) {
    // Runs are shown as the older version folded them; the next start goes on.
    log.warn({ err: error }, 'the runs could not be folded anew for this version; the next start goes on')
  }
}
