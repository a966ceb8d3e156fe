import { join } from 'node:path'
import { FileFolder, type FileLimits } from '@koco/flow'
import type { PanelDeps, PanelSettings } from '../options.ts'
import { createInputSchemas, type InputSchemas } from './input-schemas.ts'
import { Starting } from './starting.ts'
import { Uploads } from './uploads.ts'

/** The files of a panel: what people upload, what runs hold, and the way from one to the other. */
export type PanelFiles = {
  readonly uploads: Uploads
  readonly folder: FileFolder
  readonly starting: Starting
  readonly limits: FileLimits
  readonly schemas: InputSchemas
}

const SWEEP_MS = 10 * 60_000
/** A start that was under way for so long is over, whatever became of it. */
const STARTING_S = 3600

/** The files below the upload folder, and what takes away the stale ones: at once, then every ten minutes, until `close`. */
export function createFiles(
  deps: Pick<PanelDeps, 'uploadDir' | 'fileContents' | 'store' | 'catalog' | 'clock' | 'log'>,
  { fileBytesMax, runBytesMax, filesMax, uploadExpiresS }: PanelSettings,
): { readonly files: PanelFiles; close(): void } {
  const { uploadDir, fileContents, store, clock, log } = deps
  const limits = { fileBytesMax, runBytesMax, filesMax }
  const folder = new FileFolder(uploadDir, limits, fileContents)
  const uploads = new Uploads({ dir: join(uploadDir, 'uploads'), limits, expiresS: uploadExpiresS, clock })
  const unprepare = uploads.onFinish((path) => folder.prepare(path))
  const starting = new Starting(uploadDir, folder)
  const sweep = async (): Promise<void> => {
    try {
      const count = await uploads.sweep()
      if (count > 0) log.info({ count }, 'stale uploads were taken away')
      await starting.sweep(store.runs, clock(), STARTING_S)
    } catch (error) {
      // What is left is met again by the next round.
      log.warn({ err: error }, 'stale uploads could not be taken away')
    }
  }
  const timer = setInterval(() => void sweep(), SWEEP_MS)
  timer.unref()
  void sweep()
  const close = (): void => {
    clearInterval(timer)
    unprepare()
  }
  return { files: { uploads, folder, starting, limits, schemas: createInputSchemas(deps) }, close }
}
