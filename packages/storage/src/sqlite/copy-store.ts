import { constants, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { RefusedError } from '@koco/core'
import Database from 'better-sqlite3'
import { BUSY_TIMEOUT_MS } from './connection.ts'
import { toKocoError } from './errors.ts'

type FiledRun = { readonly id: number; readonly fid: string; readonly home: string; readonly epoch: number; readonly seq: number }

const PARTS = ['runs', 'run_states', 'run_bodies', 'run_epochs', 'run_holes', 'run_controls', 'chunks', 'locks', 'lock_answers'] as const

/**
 * Copies a store that may be in use into an empty folder: what it was at one moment. The index is copied in one read transaction; then the files that it names, which only ever grow: what came into them
 * after that moment is taken out of the copy again. A run that was removed meanwhile is left out. Gives how many runs there are. RefusedError `no_runs`.
 */
export function copySqliteStore(dir: string, target: string): number {
  const index = join(dir, 'index.db')
  if (!existsSync(index)) throw new RefusedError(`There are no runs in ${dir}.`, { code: 'no_runs' })
  mkdirSync(target, { recursive: true })
  try {
    copySqliteDatabase(index, join(target, 'index.db'))
    return copyRunFiles(dir, target)
  } catch (error) {
    throw toKocoError(error, dir)
  }
}

/** Copies one SQLite database that may be in use into a new file: what it was at one moment. Nobody who writes has to wait. */
export function copySqliteDatabase(from: string, to: string): void {
  const source = new Database(from, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  try {
    source.prepare('VACUUM INTO ?').run(to)
  } finally {
    source.close()
  }
}

function copyRunFiles(dir: string, target: string): number {
  const index = new Database(join(target, 'index.db'))
  try {
    const drop = PARTS.map((table) => index.prepare(`DELETE FROM ${table} WHERE ${table === 'runs' ? 'id' : 'run'} = ?`))
    const filed = index.prepare<[], FiledRun>('SELECT id, fid, home, file_epoch AS epoch, file_seq AS seq FROM runs WHERE home IS NOT NULL ORDER BY id').all()
    for (const run of filed) {
      const folder = join(target, run.home, run.fid)
      mkdirSync(folder, { recursive: true })
      if (!copyRunFile(join(dir, run.home, run.fid, 'sqlite3.db'), join(folder, 'sqlite3.db'), run)) for (const statement of drop) statement.run(run.id)
    }
    index.exec('DELETE FROM removals')
    return Number(index.prepare('SELECT count(*) FROM runs').pluck().get())
  } finally {
    index.close()
  }
}

/** False when the file is not there any more. */
function copyRunFile(from: string, to: string, { epoch, seq }: FiledRun): boolean {
  if (!existsSync(from)) return false
  let hasMore: boolean
  const source = new Database(from, { timeout: BUSY_TIMEOUT_MS })
  try {
    // A read transaction holds off whoever would change the file; it also rolls back what a crash left half done.
    source.exec('BEGIN')
    hasMore = source.prepare('SELECT 1 FROM monitor WHERE (epoch, seq) > (?, ?) LIMIT 1').get(epoch, seq) !== undefined
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
  } finally {
    source.close()
  }
  if (hasMore) {
    const copy = new Database(to)
    copy.prepare('DELETE FROM monitor WHERE (epoch, seq) > (?, ?)').run(epoch, seq)
    copy.close()
  }
  return true
}
