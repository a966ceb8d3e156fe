import { existsSync, readdirSync, rmSync, writeFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isFid } from '@koco/core'
import { createSqliteExecutionStore } from '../sqlite/index.ts'
import { coldLoad, type ColdLoad, type ColdLoadOptions } from './cold-load.ts'
import type { SnapshotFolder } from './files.ts'

const MARK = 'index.loading'

/**
 * Makes the index of a data folder again when it was lost while files of runs are there: a cold load. Null when there was nothing to do. A mark in the folder tells that it was not finished: killed, it begins
 * again at the next call. Call it before the folder is opened.
 */
export async function recoverLostIndex(dir: string, snapshots: SnapshotFolder, options: ColdLoadOptions): Promise<ColdLoad | null> {
  const mark = join(dir, MARK)
  if (existsSync(mark)) for (const end of ['', '-wal', '-shm']) rmSync(join(dir, `index.db${end}`), { force: true })
  if (existsSync(join(dir, 'index.db')) || !hasRuns(dir)) return null
  writeFileSync(mark, '', { flush: true })
  const store = await createSqliteExecutionStore({ dir, migrate: true })
  try {
    return await coldLoad(store.keeper, snapshots, options)
  } finally {
    await store.close()
    rmSync(mark)
  }
}

function hasRuns(dir: string): boolean {
  // A file in its place is refused, with the remedy, by who opens the folder.
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) return false
  const homes = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== 'locks')
  return homes.some(({ name }) => readdirSync(join(dir, name)).some(isFid))
}
