import { join } from 'node:path'
import Database from 'better-sqlite3'

/** An open SQLite database. */
export type Db = Database.Database

/** How long a statement waits for another process's lock. */
export const BUSY_TIMEOUT_MS = 5000

/** Opens `index.db`. The pragmas are set at every open: better-sqlite3 would give a reopened file `synchronous=NORMAL`, which loses commits with the power. */
export function openIndex(dir: string): Db {
  const db = new Database(join(dir, 'index.db'), { timeout: BUSY_TIMEOUT_MS })
  // Counts only for a file that has no tables yet: space that old runs leave can then be given back step by step.
  db.pragma('auto_vacuum = INCREMENTAL')
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma('wal_autocheckpoint = 16000') // A safety net of 64 MB: the filer checkpoints beside the writer, so that no commit has to.
  db.pragma('journal_size_limit = 67108864')
  db.pragma('temp_store = MEMORY')
  return db
}
