import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import { UnavailableError } from '@koco/core'
import type { BatchMessage } from './batch-message.ts'
import { createChanges } from './changes.ts'
import type { Db } from './connection.ts'
import type { CrashPoint } from './crash-point.ts'
import { toKocoError } from './errors.ts'
import type { Filed, Notice } from './filer.ts'
import { keeperChanges } from './keeper-changes.ts'
import { packError, type Reply, type Request } from './protocol.ts'
import { RunCache } from './run-cache.ts'
import { RunFiles } from './run-files.ts'
import { RunRows } from './run-rows.ts'
import { EventTable } from './write-events.ts'
import { WriteLock } from './write-lock.ts'

/** Calls that one transaction takes at most. */
const GROUP_MAX = 256
/** After so long without a call the writer counts as idle, and the filer may have the disk. */
const IDLE_MS = 20
/** The filer hears of new chunks when so much has come, if no pause comes first: a message to another thread costs, so not at every commit. */
const NOTICE_SIZE = 2 << 20
const NOTICE_RUNS = 10_000
/** How long closing waits for the filer's last word. */
const LAST_WORD_MAX_MS = 10_000
const FULL_LOOK_MS = 50
const FULL_WAIT_MAX_MS = 30_000

type Ops = Readonly<Record<string, (...args: never[]) => unknown>>

/**
 * The one writing connection of this process. Every call that waits is taken into one transaction (group commit): one sync for all of them.
 * With more than `chunkBytesMax` of chunks waiting to be filed it takes nothing until the filer has caught up.
 */
export class Writer {
  readonly #db: Db
  readonly #dir: string
  readonly #crash: CrashPoint
  readonly #reply: (replies: readonly Reply[]) => void
  readonly #filer: MessagePort | null
  readonly #lastWord = Promise.withResolvers<void>()
  #sizeMax: number
  readonly #cache: RunCache
  readonly #events: EventTable
  readonly #files: RunFiles
  readonly #ops: Ops
  readonly #statements
  readonly #lock: WriteLock
  #queue: Request[] = []
  #filed: Filed[] = []
  #scheduled = false
  /** What lies in chunks, of this process as far as it knows, in characters. */
  #size = 0
  #pending: { run: number; size: number; ended: boolean }[] = []
  #untold = 0
  #toldBusy = false
  #fullSince: number | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(db: Db, options: { dir: string; crash: CrashPoint; sizeMax: number; filer: MessagePort | null; reply: (replies: readonly Reply[]) => void }) {
    this.#db = db
    this.#dir = options.dir
    this.#crash = options.crash
    this.#reply = options.reply
    this.#filer = options.filer
    this.#sizeMax = options.filer ? options.sizeMax : Infinity
    this.#files = new RunFiles(options.dir, 32)
    const rows = new RunRows(db)
    this.#cache = new RunCache(db, rows)
    this.#events = new EventTable(db, this.#files, rows, this.#cache)
    const parts = { rows, cache: this.#cache, files: this.#files, events: this.#events }
    this.#ops = { ...createChanges(db, rows, this.#cache), ...keeperChanges(db, parts), write: (batch: BatchMessage) => this.#events.write(batch) }
    this.#statements = {
      commit: db.prepare('COMMIT'),
      rollback: db.prepare('ROLLBACK'),
      size: db.prepare('SELECT coalesce(sum(size), 0) FROM chunks').pluck(),
      deleteChunk: db.prepare('DELETE FROM chunks WHERE id = ?'),
      setFile: db.prepare('UPDATE runs SET home = ?, file_epoch = ?, file_seq = ? WHERE id = ?'),
      noteRemoval: db.prepare('INSERT OR IGNORE INTO removals (home, fid) VALUES (?, ?)'),
    }
    this.#size = Number(this.#statements.size.get())
    this.#lock = new WriteLock(db)
    if (this.#filer) this.#filer.on('message', (filed: Filed) => this.#onFiled(filed))
    else this.#lastWord.resolve()
  }

  /** Takes calls; they are answered in groups. */
  take(requests: readonly Request[]): void {
    this.#queue.push(...requests)
    this.#schedule()
  }

  /** Answers what waits, takes the filer's last word and closes. */
  async close(): Promise<void> {
    this.#sizeMax = Infinity
    while (this.#queue.length > 0) this.#commitGroup()
    clearTimeout(this.#idle)
    await Promise.race([this.#lastWord.promise, setTimeoutPromise(LAST_WORD_MAX_MS, undefined, { ref: false })])
    if (this.#filed.length > 0) this.#commitGroup()
    this.#filer?.postMessage('noted')
    this.#files.close()
    this.#db.close()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#isFull()) return
      this.#commitGroup()
      if (this.#queue.length > 0) this.#schedule()
      else this.#armIdle()
    })
  }

  #commitGroup(): void {
    if (this.#queue.length === 0 && this.#filed.length === 0) return
    const group = this.#queue.splice(0, GROUP_MAX)
    const filed = this.#filed
    this.#filed = []
    let replies: Reply[]
    try {
      replies = this.#transaction(() => {
        this.#dropFiled(filed)
        return group.map(({ id, op, args }) => ({ id, value: this.#call(op, args) }))
      })
    } catch (error) {
      const reason = toKocoError(error, this.#dir)
      // What was filed may be filed again: it stays in its chunks, and the filer finds it at its next start.
      if (filed.length > 0) this.#filed.push(...filed)
      replies = reason instanceof UnavailableError ? group.map(({ id }) => ({ id, error: packError(reason) })) : group.map((request) => this.#alone(request))
    }
    if (replies.length > 0) this.#reply(replies)
    this.#tellFiler(false)
  }

  /** One call of a group that failed together, so that only the one to blame fails. */
  #alone({ id, op, args }: Request): Reply {
    try {
      return { id, value: this.#transaction(() => this.#call(op, args)) }
    } catch (error) {
      return { id, error: packError(toKocoError(error, this.#dir)) }
    }
  }

  #transaction<T>(work: () => T): T {
    this.#lock.take()
    try {
      this.#cache.validate()
      const value = work()
      this.#crash('write:before-commit')
      this.#statements.commit.run()
      this.#crash('write:committed')
      return value
    } catch (error) {
      this.#cache.clear()
      this.#events.unfiled.clear()
      if (this.#db.inTransaction) this.#statements.rollback.run()
      throw error
    }
  }

  #call(op: string, args: readonly unknown[]): unknown {
    const run = this.#ops[op]
    if (!run) throw new Error(`the writer has no operation ${op}`)
    return run(...(args as never[]))
  }

  #dropFiled(filed: readonly Filed[]): void {
    for (const { runs } of filed) {
      for (const { run, fid, home, top, chunks } of runs) {
        for (const chunk of chunks) this.#statements.deleteChunk.run(chunk)
        const { changes } = this.#statements.setFile.run(home, top.epoch, top.seq, run)
        if (changes === 0) this.#statements.noteRemoval.run(home, fid) // The run was taken away while it was being filed.
        this.#cache.noteFile(fid, home, top)
        this.#crash('write:chunk-deleted')
      }
    }
  }

  #onFiled(filed: Filed): void {
    if (filed.last) this.#lastWord.resolve()
    if (filed.runs.length === 0) return
    this.#filed.push(filed)
    this.#size = Math.max(0, this.#size - filed.size)
    this.#schedule()
  }

  /** The new chunks of committed transactions, for the filer. */
  #tellFiler(idle: boolean): void {
    const { unfiled } = this.#events
    for (const { size } of unfiled.values()) {
      this.#untold += size
      this.#size += size
    }
    this.#pending.push(...[...unfiled].map(([run, { size, ended }]) => ({ run, size, ended })))
    unfiled.clear()
    const worth = idle ? this.#pending.length > 0 || this.#toldBusy : this.#untold >= NOTICE_SIZE || this.#pending.length >= NOTICE_RUNS
    if (!worth) return
    this.#toldBusy = !idle
    this.#filer?.postMessage({ runs: this.#pending, idle } satisfies Notice)
    this.#pending = []
    this.#untold = 0
  }

  #armIdle(): void {
    if (this.#idle) this.#idle.refresh()
    else this.#idle = setTimeout(() => this.#tellFiler(true), IDLE_MS)
  }

  /** True while nothing more may be taken. The calls that wait are refused when the filer does not catch up in time. */
  #isFull(): boolean {
    if (this.#size <= this.#sizeMax || this.#queue.length === 0) {
      this.#fullSince = undefined
      return false
    }
    this.#size = Number(this.#statements.size.get())
    if (this.#filed.length > 0 || this.#size <= this.#sizeMax) return false
    this.#fullSince ??= Date.now()
    this.#tellFiler(true)
    if (Date.now() - this.#fullSince > FULL_WAIT_MAX_MS) this.#refuseAll()
    else setTimeout(() => this.#schedule(), FULL_LOOK_MS)
    return true
  }

  #refuseAll(): void {
    const error = new UnavailableError(
      `More than ${this.#sizeMax} characters of events at ${this.#dir} wait to be moved into the files of their runs. Check the disk; writing goes on by itself.`,
      {
        code: 'store_unavailable',
      },
    )
    this.#reply(this.#queue.splice(0).map(({ id }) => ({ id, error: packError(error) })))
    this.#fullSince = undefined
  }
}
