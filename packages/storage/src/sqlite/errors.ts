import { KocoError, PoisonError, UnavailableError } from '@koco/core'

const REMEDIES: readonly (readonly [prefix: string, remedy: string])[] = [
  ['SQLITE_FULL', 'The disk is full: free some space; nothing is lost, writing goes on by itself.'],
  ['SQLITE_READONLY', 'The files cannot be written: check owner and mode of the folder, and that the disk is not mounted read-only.'],
  ['SQLITE_BUSY', 'Another process held the database for too long: see what it does, or wait.'],
  ['SQLITE_LOCKED', 'Another process held the database for too long: see what it does, or wait.'],
  ['SQLITE_CANTOPEN', 'A file cannot be opened: check owner and mode of the folder and the limit of open files (ulimit -n).'],
  ['SQLITE_IOERR', 'The disk reports an error: check it (dmesg, free space, quota).'],
  ['SQLITE_CORRUPT', 'The database is damaged: stop koco, and restore the folder from a backup or run sqlite3 ".recover" on the file.'],
  ['SQLITE_NOTADB', 'The file is no SQLite database: move it away, or point KODO_EXEC_DIR elsewhere.'],
  ['EEXIST', 'A file stands where a folder is needed: move it away.'],
  ['ENOTDIR', 'A file stands where a folder is needed: move it away.'],
  ['ENOSPC', 'The disk is full: free some space; nothing is lost, writing goes on by itself.'],
  ['EDQUOT', 'The quota of the disk is used up: free some space.'],
  ['EROFS', 'The disk is mounted read-only.'],
  ['EACCES', 'Check owner and mode of the folder.'],
  ['EPERM', 'Check owner and mode of the folder.'],
  ['EMFILE', 'Too many files are open: raise the limit (ulimit -n).'],
  ['ENFILE', 'Too many files are open on this machine.'],
  ['EIO', 'The disk reports an error: check it (dmesg).'],
]

/** What a failure of SQLite or of the file system asks of the caller: UnavailableError with the remedy, PoisonError for values that no row can hold. Other errors stay as they are. */
export function toKocoError(error: unknown, dir: string): unknown {
  if (error instanceof KocoError || !(error instanceof Error)) return error
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string') return error
  const remedy = REMEDIES.find(([prefix]) => code.startsWith(prefix))?.[1]
  if (remedy !== undefined) {
    return new UnavailableError(`The execution store at ${dir} does not work now (${code}: ${error.message}). ${remedy}`, {
      code: 'store_unavailable',
      cause: error,
    })
  }
  if (code.startsWith('SQLITE_TOOBIG') || code.startsWith('SQLITE_MISMATCH') || code.startsWith('SQLITE_CONSTRAINT')) {
    return new PoisonError(`A record cannot be stored (${code}: ${error.message}). Set it aside as a dead event.`, { code: 'bad_record', cause: error })
  }
  return error
}
