import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { KocoError, RefusedError, UnavailableError } from '@koco/core'
import Database from 'better-sqlite3'

const BUSY_MS = 5_000

/**
 * Opens a small SQLite file in this thread, its folder made when it is missing; `readonly` makes nothing. Throws RefusedError `bad_data_folder` or `bad_database_file`.
 */
export function openSqliteFile(path: string, readonly = false): Database.Database {
  try {
    if (!readonly) mkdirSync(dirname(resolve(path)), { recursive: true })
    const file = new Database(path, { readonly, fileMustExist: readonly, timeout: BUSY_MS })
    if (readonly) return file
    // FULL on every open: without it a reopened WAL file runs NORMAL and loses the last commits at a power cut.
    file.pragma('journal_mode = WAL')
    file.pragma('synchronous = FULL')
    file.pragma('foreign_keys = ON')
    return file
  } catch (error) {
    throw sqliteError(path)(error)
  }
}

/** What an error of the driver or the file system means for the caller. */
export function sqliteError(path: string): (error: unknown) => unknown {
  return (error) => {
    if (!(error instanceof Error) || error instanceof KocoError || !('code' in error)) return error
    const code = String(error.code)
    if (/^(SQLITE_BUSY|SQLITE_FULL|SQLITE_IOERR|SQLITE_LOCKED|ENOSPC)/.test(code)) {
      return new UnavailableError(`${path} cannot be used now (${error.message}). Check the disk and who else uses the file; koco tries again.`, {
        code: 'store_unavailable',
        cause: error,
      })
    }
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) {
      return new RefusedError(`${path} is not a SQLite database (${error.message}). Name another file, or restore this one.`, {
        code: 'bad_database_file',
        cause: error,
      })
    }
    if (/^(SQLITE_CANTOPEN|SQLITE_READONLY|SQLITE_PERM|EACCES|EROFS|ENOTDIR|EEXIST|EPERM)/.test(code)) {
      return new RefusedError(`${path} cannot be written (${error.message}). Name a folder that this user may write.`, {
        code: 'bad_data_folder',
        cause: error,
      })
    }
    return error
  }
}
