import type { EventRecord } from '@koco/core'
import Database from 'better-sqlite3'
import type { Db } from './connection.ts'

const TABLE = `CREATE TABLE monitor (
  id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, timestamp REAL NOT NULL, kind TEXT NOT NULL, step TEXT, message TEXT NOT NULL,
  UNIQUE (epoch, seq)
)`
/** Share of unused pages above which an image is packed. */
const WASTE_MAX = 0.25

/** Puts records into a run's table; what is there already stays. */
export const INSERT_EVENT = 'INSERT OR IGNORE INTO monitor (epoch, seq, timestamp, kind, step, message) VALUES (?, ?, ?, ?, ?, ?)'

/** The columns of an event, in the order of RawEvent. */
export const EVENT_COLUMNS = 'epoch, seq, timestamp, kind, step, message'

/** Makes the bytes of new run files in memory. One database is emptied and filled again: opening another for each costs more than filling it. */
export class RunImage {
  readonly #db: Db
  readonly #insert
  readonly #pages
  readonly #unused

  constructor() {
    this.#db = new Database(':memory:')
    this.#db.exec(TABLE)
    this.#db.pragma('user_version = 1')
    this.#insert = this.#db.prepare(INSERT_EVENT)
    this.#pages = this.#db.prepare('PRAGMA page_count').pluck()
    this.#unused = this.#db.prepare('PRAGMA freelist_count').pluck()
  }

  /** The bytes of a file with these records. */
  fill(records: readonly EventRecord[]): Buffer {
    this.#db.exec('DELETE FROM monitor')
    this.#db.exec('BEGIN')
    insertEvents(this.#insert, records)
    this.#db.exec('COMMIT')
    if (Number(this.#unused.get()) > Number(this.#pages.get()) * WASTE_MAX) this.#db.exec('VACUUM')
    return this.#db.serialize()
  }

  close(): void {
    this.#db.close()
  }
}

/** Runs INSERT_EVENT for each record. */
export function insertEvents(insert: Database.Statement, records: readonly EventRecord[]): void {
  for (const { epoch, seq, ts, kind, step, data } of records) insert.run(epoch, seq, ts, kind, step, data)
}
