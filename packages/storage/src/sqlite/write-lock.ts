import { BUSY_TIMEOUT_MS, type Db } from './connection.ts'

/** Between two looks at a lock that another process has; with chance, so that those who wait do not look in step. */
const LOOK_MS = 2
const LOOK_MORE_MS = 3

/**
 * Begins writing transactions. SQLite's own way to wait for another process's lock looks ever more seldom, in the end every 100 ms: beside a process that commits all the time, a lock that is free for a moment
 * only may not be met once in all the time that a call waits. This looks often, and blocks the thread meanwhile, as SQLite would.
 */
export class WriteLock {
  readonly #begin
  readonly #sleep = new Int32Array(new SharedArrayBuffer(4))

  /** Only for a connection that has no other use for SQLite's own waiting: it is off from now on. */
  constructor(db: Db) {
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    db.pragma('busy_timeout = 0')
  }

  /** The lock is held when it returns; throws what SQLite does when it was not free within 5 s. */
  take(): void {
    const end = performance.now() + BUSY_TIMEOUT_MS
    for (;;) {
      try {
        this.#begin.run()
        return
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw error
      }
      Atomics.wait(this.#sleep, 0, 0, LOOK_MS + Math.random() * LOOK_MORE_MS)
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_BUSY')
}
