import { setTimeout as startTimer } from 'node:timers'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import type { EventRecord, Position } from '@koco/core'
import { comparePositions } from '@koco/core'
import { type StoredChunk, unpackChunk } from './chunk.ts'
import type { Db } from './connection.ts'
import type { CrashPoint } from './crash-point.ts'
import { takeExclusive } from './exclusive.ts'
import { homeOf, type NewFile, RunFiles } from './run-files.ts'

/** From the writer: runs with new chunks, their sizes in characters. `idle`: no call has come for a while. */
export type Notice = { readonly runs: readonly { readonly run: number; readonly size: number; readonly ended: boolean }[]; readonly idle: boolean }

/** To the writer: chunks that are in their runs' files for good and may be deleted. `last`: nothing follows. */
export type Filed = { readonly runs: readonly FiledRun[]; readonly size: number; readonly last?: true }

type FiledRun = { readonly run: number; readonly fid: string; readonly home: string; readonly top: Position; readonly chunks: readonly number[] }
type Place = { readonly home: string; readonly top: Position; readonly lastChunk: number }
type RunInfo = { readonly fid: string; readonly user: string; readonly home: string | null; readonly file_epoch: number; readonly file_seq: number }
type FilableChunk = StoredChunk & { readonly id: number; readonly size: number }
type Job = { readonly done: FiledRun; readonly size: number; readonly more: boolean; readonly created: NewFile | undefined }

/** Runs of one slice, and characters of one run in it: between slices the thread hears messages. */
const SLICE_RUNS = 64
const RUN_SIZE_MAX = 4 << 20
const SLICE_SIZE_MAX = 8 << 20
/** Places of runs filed lately: needed until the writer has noted them. */
const PLACES_MAX = 20_000
const QUIET_MS = 2000
const RESCAN_MS = 10_000
const CHECKPOINT_SIZE = 8 << 20
const CLOSE_MAX_MS = 5000
const NOTED_MAX_MS = 10_000

/**
 * Moves chunks from `index.db` into the files of their runs: copies, syncs, and only then has the writer delete them. A death in between repeats the copy, which changes nothing.
 * Ended runs are filed as soon as the writer is idle, living ones after a longer quiet, all of them when much has piled up. One filer at a time works on a folder, whatever the number of processes.
 * It also checkpoints the WAL, so that commits need not.
 */
export class Filer {
  readonly #dir: string
  readonly #files: RunFiles
  readonly #writer: MessagePort
  readonly #crash: CrashPoint
  readonly #highMark: number
  readonly #problem: (error: unknown) => void
  readonly #db: Db
  readonly #statements
  readonly #dirty = new Map<number, { size: number; ended: boolean }>()
  readonly #places = new Map<number, Place>()
  #total = 0
  #sinceCheckpoint = 0
  /** Which runs the slices under way take. */
  #goal: 'none' | 'ended' | 'all' = 'none'
  #isWorking = false
  #working: Promise<void> = Promise.resolve()
  #giveBack: (() => void) | undefined
  #quiet: NodeJS.Timeout | undefined
  readonly #rescan: NodeJS.Timeout
  readonly #noted = Promise.withResolvers<void>()

  constructor(db: Db, options: { dir: string; sizeMax: number; writer: MessagePort; crash: CrashPoint; problem: (error: unknown) => void }) {
    this.#db = db
    this.#dir = options.dir
    this.#files = new RunFiles(options.dir)
    this.#writer = options.writer
    this.#crash = options.crash
    this.#highMark = options.sizeMax / 2
    this.#problem = options.problem
    this.#statements = {
      run: db.prepare<[number], RunInfo>('SELECT fid, user, home, file_epoch, file_seq FROM runs WHERE id = ?'),
      chunkIds: db.prepare<[number, number]>('SELECT id FROM chunks INDEXED BY chunks_run WHERE run = ? AND id > ? ORDER BY id').pluck(),
      chunk: db.prepare<[number], FilableChunk>('SELECT id, size, epoch, first_seq AS first, last_seq AS last, head, body FROM chunks WHERE id = ?'),
      dirty: db.prepare<[], { run: number; size: number; ended: number }>(
        `SELECT run, sum(size) AS size, runs.status IN ('finished', 'error', 'cancelled', 'timed_out') AS ended FROM chunks JOIN runs ON runs.id = run GROUP BY run`,
      ),
    }
    this.#rescan = setInterval(() => void this.#guard(() => this.#rescanAll()), RESCAN_MS)
    this.#writer.on('message', (notice: Notice | 'noted') => {
      if (notice === 'noted') this.#noted.resolve()
      else void this.#guard(() => this.#onNotice(notice))
    })
    void this.#guard(() => this.#rescanAll())
  }

  /** Files what there is time for, says the last word to the writer and closes. What is left stays in its chunks. */
  async close(): Promise<void> {
    clearInterval(this.#rescan)
    clearTimeout(this.#quiet)
    this.#goal = 'none'
    await this.#working
    const end = Date.now() + CLOSE_MAX_MS
    await this.#guard(async () => {
      this.#scan()
      while (this.#holdsLock() && this.#dirty.size > 0 && Date.now() < end) await this.#slice('all')
    })
    this.#files.close()
    this.#writer.postMessage({ runs: [], size: 0, last: true } satisfies Filed)
    // Until the writer has noted what was filed, no other process may file: it would take these runs for ones without a file.
    await Promise.race([this.#noted.promise, setTimeout(NOTED_MAX_MS, undefined, { ref: false })])
    this.#giveBack?.()
    this.#db.close()
  }

  #onNotice({ runs, idle }: Notice): void {
    for (const { run, size, ended } of runs) {
      this.#dirty.set(run, { size: (this.#dirty.get(run)?.size ?? 0) + size, ended })
      this.#total += size
      this.#sinceCheckpoint += size
    }
    if (idle) this.#aim('ended')
    else if (this.#total > this.#highMark) this.#aim('all')
    if (idle || this.#sinceCheckpoint > CHECKPOINT_SIZE) this.#checkpoint()
    if (this.#quiet) this.#quiet.refresh()
    else this.#quiet = startTimer(() => this.#aim('all'), QUIET_MS)
  }

  #aim(goal: 'ended' | 'all'): void {
    if (this.#goal !== 'all') this.#goal = goal
    this.#schedule()
  }

  /** Works slice by slice until the goal is reached; between slices the thread hears messages. */
  #schedule(): void {
    if (this.#isWorking) return
    this.#isWorking = true
    this.#working = this.#guard(async () => {
      while (this.#goal !== 'none' && this.#holdsLock()) {
        if (!(await this.#slice(this.#goal))) this.#goal = 'none'
        await setImmediate()
      }
    }).finally(() => {
      this.#isWorking = false
    })
  }

  /** Files some runs; false when none was left to file. */
  async #slice(goal: 'ended' | 'all'): Promise<boolean> {
    const picked = this.#pick(goal)
    if (picked.length === 0) return false
    const jobs = picked.map((run) => this.#copy(run)).filter((job) => job !== undefined)
    this.#crash('file:copied')
    await this.#files.settle(jobs.flatMap(({ created }) => created ?? []))
    this.#crash('file:durable')
    for (const job of jobs) this.#settle(job)
    const size = jobs.reduce((sum, job) => sum + job.size, 0)
    if (jobs.length > 0) this.#writer.postMessage({ runs: jobs.map(({ done }) => done), size } satisfies Filed)
    this.#problem(undefined)
    return true
  }

  #pick(goal: 'ended' | 'all'): number[] {
    const picked: number[] = []
    let size = 0
    for (const [run, dirty] of this.#dirty) {
      if (goal === 'ended' && !dirty.ended) continue
      picked.push(run)
      size += Math.min(dirty.size, RUN_SIZE_MAX)
      if (picked.length >= SLICE_RUNS || size > SLICE_SIZE_MAX) break
    }
    return picked
  }

  /** Copies chunks of a run into its file, which is made anew until the writer, or this filer itself, knows of one. */
  #copy(run: number): Job | undefined {
    const known = this.#places.get(run)
    const { info, chunks, more } = this.#look(run, known?.lastChunk ?? 0)
    if (!info || chunks.length === 0) {
      this.#forget(run)
      return undefined
    }
    const home = known?.home ?? info.home ?? homeOf(info.user)
    const place = { fid: info.fid, home }
    const records = chunks.flatMap(unpackChunk)
    const isThere = known !== undefined || info.home !== null
    if (isThere) this.#files.append(place, records)
    const created = isThere ? undefined : this.#files.create(place, records)
    const top = highest(known?.top ?? { epoch: info.file_epoch, seq: info.file_seq }, records)
    const done = { run, fid: info.fid, home, top, chunks: chunks.map(({ id }) => id) }
    return { done, size: chunks.reduce((sum, chunk) => sum + chunk.size, 0), more, created }
  }

  /** One snapshot: a run without a file, as its row says, still has all its chunks. */
  #look(run: number, after: number): { info: RunInfo | undefined; chunks: FilableChunk[]; more: boolean } {
    return this.#db.transaction(() => ({ info: this.#statements.run.get(run), ...this.#chunksOf(run, after) }))()
  }

  /** The next chunks of a run by id, so that those behind the last one taken are the ones not yet filed. */
  #chunksOf(run: number, after: number): { chunks: FilableChunk[]; more: boolean } {
    const chunks: FilableChunk[] = []
    let size = 0
    for (const id of this.#statements.chunkIds.all(run, after) as number[]) {
      if (size > RUN_SIZE_MAX) return { chunks, more: true }
      const chunk = this.#statements.chunk.get(id)
      if (!chunk) continue
      chunks.push(chunk)
      size += chunk.size
    }
    return { chunks, more: false }
  }

  /** Notes that a job is done for good. */
  #settle({ done, size, more }: Job): void {
    const { run, home, top, chunks } = done
    this.#places.delete(run)
    this.#places.set(run, { home, top, lastChunk: chunks.at(-1) ?? 0 })
    const [oldest] = this.#places.keys()
    if (this.#places.size > PLACES_MAX && oldest !== undefined) this.#places.delete(oldest)
    const dirty = this.#dirty.get(run)
    if (!more || !dirty) this.#forget(run)
    else {
      this.#dirty.set(run, { ...dirty, size: Math.max(0, dirty.size - size) })
      this.#total = Math.max(0, this.#total - size)
    }
  }

  #forget(run: number): void {
    this.#total = Math.max(0, this.#total - (this.#dirty.get(run)?.size ?? 0))
    this.#dirty.delete(run)
  }

  #rescanAll(): void {
    this.#scan()
    if (this.#dirty.size > 0) this.#aim('all')
  }

  /** Finds what an earlier process left and what others have written. */
  #scan(): void {
    if (!this.#holdsLock()) return
    for (const { run, size, ended } of this.#statements.dirty.all()) {
      if (this.#dirty.has(run)) continue
      this.#dirty.set(run, { size, ended: ended === 1 })
      this.#total += size
    }
  }

  #checkpoint(): void {
    this.#sinceCheckpoint = 0
    this.#db.pragma('wal_checkpoint(PASSIVE)')
  }

  #holdsLock(): boolean {
    this.#giveBack ??= takeExclusive(this.#dir, 'filer')
    return this.#giveBack !== undefined
  }

  /** A failure (a full disk) ends the work under way; what is not filed stays in its chunks, and the next notice or scan tries again. */
  async #guard(work: () => void | Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#goal = 'none'
      this.#problem(error)
    }
  }
}

function highest(top: Position, records: readonly EventRecord[]): Position {
  let highestYet = top
  for (const record of records) if (comparePositions(record, highestYet) > 0) highestYet = record
  return { epoch: highestYet.epoch, seq: highestYet.seq }
}
