import type { LockState, Position } from '@koco/core'
import type { Db } from './connection.ts'
import { readLock, type RunRow, type RunRows } from './run-rows.ts'

const RUNS_MAX = 4096

/** A run as the writer knows it; `locks` are loaded when they are first needed. */
export type KnownRun = { row: RunRow; locks: Map<string, LockState> | undefined }

/** The runs that were written last, so that a hot run is not read again for each batch. Holds while no other process writes. */
export class RunCache {
  readonly #rows: RunRows
  readonly #locks
  readonly #version
  readonly #known = new Map<string, KnownRun>()
  #seenVersion: unknown

  constructor(db: Db, rows: RunRows) {
    this.#rows = rows
    this.#locks = db.prepare<[number], { state: string }>('SELECT state FROM locks WHERE run = ?')
    this.#version = db.prepare('PRAGMA data_version').pluck()
  }

  /** Call it at the start of each transaction: forgets everything when another process has written. */
  validate(): void {
    const version = this.#version.get()
    if (version !== this.#seenVersion) this.#known.clear()
    this.#seenVersion = version
  }

  /** After a rollback nothing of what is known here is sure. */
  clear(): void {
    this.#known.clear()
  }

  forget(fid: string): void {
    this.#known.delete(fid)
  }

  /** Notes where a run's file lies and how far it reaches. */
  noteFile(fid: string, home: string, fileTop: Position): void {
    const known = this.#known.get(fid)
    if (known) known.row = { ...known.row, home, fileTop }
  }

  find(fid: string): KnownRun | undefined {
    const known = this.#known.get(fid)
    if (known) return known
    const row = this.#rows.load(fid)
    return row && this.add(row)
  }

  add(row: RunRow): KnownRun {
    const known: KnownRun = { row, locks: undefined }
    this.#known.set(row.state.fid, known)
    if (this.#known.size > RUNS_MAX) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    return known
  }

  locksOf(known: KnownRun): Map<string, LockState> {
    known.locks ??= new Map(this.#locks.all(known.row.id).map(({ state }) => [readLock(state).lid, readLock(state)]))
    return known.locks
  }
}
