import { resolve } from 'node:path'
import type { Contents, FileContents } from '@koco/flow'
import { DEFAULT_RETENTION, keepPruning, parseFlowLimits, type RetentionPolicy } from '@koco/panel'
import type { ExecutionStore } from '@koco/storage'
import type { Logger } from 'pino'
import type { Settings } from '../settings/schema.ts'
import { folderFiles, panelFiles } from './files.ts'

/** What to keep of runs that are over, as the settings say. */
export function retentionPolicy({ retainDays, retainRuns, retainBytes, retainFlows }: Settings): RetentionPolicy {
  const bound = (value: number) => (value === 0 ? null : value)
  const days = bound(retainDays)
  return {
    all: { ageS: days === null ? null : days * 86_400, runs: bound(retainRuns), bytes: bound(retainBytes) },
    flows: retainFlows === undefined ? {} : parseFlowLimits(retainFlows),
    graceS: DEFAULT_RETENTION.graceS,
  }
}

/** Where runs are written before they go; null when they go for good. */
export function archiveFolder({ retainArchive }: Settings, cwd: string): string | null {
  return retainArchive === undefined ? null : resolve(cwd, retainArchive)
}

/** What pruning works on. */
export function pruneParts(
  settings: Settings,
  cwd: string,
  { store, contents, fileContents }: { readonly store: ExecutionStore; readonly contents: Contents; readonly fileContents: FileContents },
) {
  const { uploadDir } = panelFiles(settings, cwd)
  return { store, contents, clock: Date.now, uploadDir, files: folderFiles(settings, cwd, fileContents) }
}

/** Prunes while this process lives, when the settings say so; gives the function that ends it. */
export function startPruning(
  settings: Settings,
  cwd: string,
  { log, ...opened }: { readonly store: ExecutionStore; readonly contents: Contents; readonly fileContents: FileContents; readonly log: Logger },
): () => Promise<void> {
  if (settings.retainEvery === 0) return () => Promise.resolve()
  const parts = { ...pruneParts(settings, cwd, opened), log: log.child({ part: 'retention' }) }
  return keepPruning(parts, { policy: retentionPolicy(settings), archiveDir: archiveFolder(settings, cwd), everyMs: settings.retainEvery * 1000 })
}
