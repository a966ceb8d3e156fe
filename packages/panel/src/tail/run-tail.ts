import type { Position } from '@koco/core'
import { comparePositions, formatPosition, isEnded, ORIGIN, parsePosition, type RunStatus } from '@koco/core'
import type { EventReader, RunStore } from '@koco/storage'
import type { SignalBus } from '@koco/transport'
import { setTimeout as delay } from 'node:timers/promises'
import type { ChunkCache } from './chunk-cache.ts'
import { chunkOf, controlFrame, type Chunk } from './frames.ts'
import type { Commit, Wakeups } from './wakeups.ts'

/** What a run's tail reads from and listens to. */
export type TailDeps = {
  readonly reader: EventReader
  readonly runs: Pick<RunStore, 'get'>
  readonly signals: SignalBus
  readonly wakeups: Wakeups
  readonly cache: ChunkCache
  readonly lookAgainMs: number
  readonly log: { warn(data: object, text: string): void }
}

/** How a run stands against a reader's cursor: `live`, over (with its last word), taken back below the cursor, or gone. */
export type Standing = { readonly state: 'live' | 'gone' | 'rewound' } | { readonly state: 'over'; readonly status: RunStatus; readonly position: string }

const PAGE_EVENTS = 500

/**
 * The one reader of one run in this process. Every viewer pulls from it with a cursor of its own; equal pulls share one read and one Buffer. It holds no queue: a viewer
 * that is slow does not ask, and finds what it missed in the store.
 */
export class RunTail {
  readonly fid: string
  /** Grows with everything that may mean news; a viewer that saw this number before its read misses nothing. */
  version = 0
  /** The highest position that was heard of or read: what the keep-alive comments tell. */
  known: Position = ORIGIN
  viewers = 0

  readonly #deps: TailDeps
  readonly #waiting = new Set<() => void>()
  readonly #reads = new Map<string, Promise<Chunk>>()
  readonly #deltas = new Set<(frame: Buffer) => void>()
  readonly #stop: (() => void)[] = []
  #standing: Promise<Awaited<ReturnType<RunStore['get']>>> | undefined
  #mayHaveEnded = true
  #hearsDeltas = false
  #lastReadMs = 0

  constructor(fid: string, deps: TailDeps) {
    this.fid = fid
    this.#deps = deps
    this.#stop.push(deps.wakeups.onCommit(fid, (commit) => this.#heard(commit)))
    // A lost wake-up is healed by looking again now and then; the jitter keeps many runs apart.
    const timer = setInterval(() => this.#lookAgain(), deps.lookAgainMs * (0.6 + 0.8 * Math.random()))
    timer.unref()
    this.#stop.push(() => clearInterval(timer))
  }

  /** The next frames after a cursor; empty and caught up when there are none yet. */
  next(after: Position): Promise<Chunk> {
    const key = formatPosition(after)
    const cached = this.#deps.cache.get(this.fid, key)
    if (cached) return Promise.resolve(cached)
    const running = this.#reads.get(key)
    if (running) return running
    const read = this.#read(after, key).finally(() => this.#reads.delete(key))
    this.#reads.set(key, read)
    return read
  }

  /** Resolves when something may have happened since `version` was seen, or when the signal aborts. */
  changed(version: number, signal: AbortSignal): Promise<void> {
    if (version !== this.version || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  /** How the run stands against a cursor that is caught up; asks the store only when there is reason to. */
  async standing(cursor: Position): Promise<Standing> {
    if (!this.#mayHaveEnded) return { state: 'live' }
    this.#standing ??= this.#deps.runs.get(this.fid).finally(() => (this.#standing = undefined))
    const run = await this.#standing
    if (!run) return { state: 'gone' }
    const order = comparePositions(run.lastPosition, cursor)
    if (order < 0) {
      this.#deps.cache.forget(this.fid)
      return { state: 'rewound' }
    }
    if (!isEnded(run.status)) this.#mayHaveEnded = false
    return order === 0 && isEnded(run.status) ? { state: 'over', status: run.status, position: formatPosition(cursor) } : { state: 'live' }
  }

  /** Hands on live text of models; the subscription to the bus starts with the first listener. */
  onDelta(listener: (frame: Buffer) => void): () => void {
    if (!this.#hearsDeltas) this.#subscribeDeltas()
    this.#deltas.add(listener)
    return () => this.#deltas.delete(listener)
  }

  close(): void {
    for (const stop of this.#stop) stop()
    for (const done of this.#waiting) done()
  }

  async #read(after: Position, key: string): Promise<Chunk> {
    await this.#pace()
    const page = await this.#deps.reader.read(this.fid, { after, limit: PAGE_EVENTS })
    const chunk = chunkOf(this.fid, after, page)
    if (chunk.ending) this.#mayHaveEnded = true
    if (comparePositions(chunk.last, this.known) > 0) this.known = chunk.last
    if (page.records.length > 0) this.#deps.cache.put(this.fid, key, chunk)
    return chunk
  }

  /** With many viewers each read is followed by as many writes: let some events gather first. One viewer waits for nothing. */
  async #pace(): Promise<void> {
    const pauseMs = this.viewers <= 10 ? 0 : Math.min(25, this.viewers / 10)
    const waitMs = this.#lastReadMs + pauseMs - performance.now()
    if (pauseMs > 0 && waitMs > 1) await delay(waitMs)
    this.#lastReadMs = performance.now()
  }

  #heard(commit: Commit): void {
    if (!commit) return this.#lookAgain()
    if (commit.ended) this.#mayHaveEnded = true
    const position = parsePosition(commit.position)
    if (position && comparePositions(position, this.known) > 0) this.known = position
    this.#wake()
  }

  #lookAgain(): void {
    this.#mayHaveEnded = true
    this.#wake()
  }

  #wake(): void {
    this.version += 1
    for (const done of this.#waiting) done()
  }

  #subscribeDeltas(): void {
    this.#hearsDeltas = true
    const listen = this.#deps.signals.subscribe('delta', this.fid, ({ step, text }) => {
      const frame = controlFrame('delta', { step, text })
      for (const listener of this.#deltas) listener(frame)
    })
    // Deltas may be lost by their nature: without them the closing event still brings the whole text.
    const stopping = listen.catch((error: unknown) => {
      this.#deps.log.warn({ err: error, fid: this.fid }, 'no live text: the signal bus did not take the subscription')
      return () => undefined
    })
    this.#stop.push(() => void stopping.then((stop) => stop()))
  }
}
