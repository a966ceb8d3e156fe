import { assert, encodeEvent, FencedError, formatPosition, RefusedError, UnavailableError, type NewEvent, type Position } from '@koco/core'
import type { AppendAnswer, EventStreams, Producer } from '../port.ts'
import { Ring } from './ring.ts'
import { Backoff, pause } from './wait.ts'

/** What a producer needs. Times in ms, sizes in bytes. */
export type ProducerOptions = {
  readonly streams: EventStreams
  readonly fid: string
  /** The flow's name, for messages about events that are too large. */
  readonly flow: string
  readonly epoch: number
  /** How far the store has the run's events, and whether the run is over there. */
  readonly storeTop: () => Promise<{ readonly top: Position; readonly ended: boolean }>
  /** Calls the listener with how far the store has come, whenever that is news; the result ends it. Without it the producer asks `storeTop` when its ring is full. */
  readonly committed?: (listener: (top: Position) => void) => () => void
  /** How long an event waits for others; default 5. */
  readonly batchMs?: number
  /** How many events are sent at once without waiting; default 50. */
  readonly batchSize?: number
  /** The bound of what was sent and is not committed; default 4 MiB. */
  readonly ringBytes?: number
  /** The bound of what was emitted and is not acknowledged; beyond it `emit` throws. Default 64 MiB. */
  readonly queueBytes?: number
  /** Gives 0..1, for jitter. */
  readonly random?: () => number
}

type Waiter = { readonly upTo: number; readonly done: () => void; readonly failed: (reason: unknown) => void }

/** One append takes at most this much, so that no script holds Redis for long. */
const APPEND_COUNT_MAX = 250
const APPEND_BYTES_MAX = 1024 * 1024
/** The reason of an end that nobody reads: an error made for it would cost more than an event. */
const ENDED = 'ended'

/** The one writer of one epoch of a run. */
export function createProducer(options: ProducerOptions): Producer {
  return new StreamProducer(options)
}

/*
 * emit ──▶ ring ──▶ one append in flight ──▶ acked ──▶ committed ──▶ dropped from the ring
 *                    │  ok, dup: next batch          gap, nostream: back to where the stream stands
 *                    └─ busy, unavailable: same again after a while; fenced: stop
 */
class StreamProducer implements Producer {
  readonly epoch: number
  readonly stopped: AbortSignal
  readonly #o: Required<Omit<ProducerOptions, 'committed'>>
  readonly #ring = new Ring()
  readonly #stop = new AbortController()
  /** Aborted at close and at stop: ends waits. */
  readonly #ended = new AbortController()
  readonly #backoff: Backoff
  readonly #unsubscribe: () => void
  #prev: Position | undefined
  #waiters: Waiter[] = []
  #acked = 0
  #committed = 0
  #nextSeq = 1
  #timer: NodeJS.Timeout | undefined
  #pumping = false
  #closed = false
  #news = Promise.withResolvers<void>()

  constructor(options: ProducerOptions) {
    this.#o = { batchMs: 5, batchSize: 50, ringBytes: 4 * 1024 * 1024, queueBytes: 64 * 1024 * 1024, random: Math.random, ...options }
    this.epoch = options.epoch
    this.stopped = this.#stop.signal
    this.#backoff = new Backoff(20, 2000, this.#o.random)
    this.#unsubscribe = options.committed?.((top) => this.#noteCommitted(top)) ?? (() => {})
  }

  get prev(): Position | undefined {
    return this.#prev
  }

  emit(event: NewEvent): Position {
    this.stopped.throwIfAborted()
    assert(!this.#closed, `the producer of run ${this.#o.fid} is closed`)
    assert(this.#ring.lastSeq > 0 || event.kind === 'attempt', `the first event of an epoch must be the attempt, not ${event.kind}`)
    const body = encodeEvent(event, this.#o.flow)
    if (this.#ring.bytes > this.#o.queueBytes) throw this.#tooFast()
    const seq = this.#ring.push(body)
    if (seq - this.#nextSeq + 1 >= this.#o.batchSize) this.#send()
    else if (!this.#pumping) this.#timer ??= setTimeout(() => this.#send(), this.#o.batchMs)
    return { epoch: this.epoch, seq }
  }

  #tooFast(): RefusedError {
    return new RefusedError(
      `Flow "${this.#o.flow}" has emitted ${this.#ring.bytes} bytes that are not stored yet, more than ${this.#o.queueBytes}. Await a step between emissions, or write large data to a file.`,
      { code: 'events_backlog' },
    )
  }

  flush(signal?: AbortSignal): Promise<void> {
    if (this.stopped.aborted) return Promise.reject(this.stopped.reason)
    if (signal?.aborted) return Promise.reject(signal.reason)
    const upTo = this.#ring.lastSeq
    if (this.#acked >= upTo) return Promise.resolve()
    if (this.#ended.signal.aborted) return Promise.reject(this.#unsent('it is closed'))
    const acknowledged = this.#waitFor(upTo, signal)
    this.#send()
    return acknowledged
  }

  #waitFor(upTo: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve: done, reject: failed } = Promise.withResolvers<void>()
    const waiter: Waiter = { upTo, done, failed }
    this.#waiters.push(waiter)
    if (!signal) return promise
    const onAbort = () => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
      failed(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    return promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  async close(withinMs: number): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      if (!this.stopped.aborted && this.#acked < this.#ring.lastSeq) await this.flush(AbortSignal.timeout(withinMs))
    } catch (error) {
      if (!this.stopped.aborted) throw this.#unsent(`it was closed within ${withinMs} ms`, error)
    } finally {
      this.#end()
    }
  }

  #unsent(why: string, cause?: unknown): UnavailableError {
    const left = this.#ring.lastSeq - this.#acked
    const message = `The producer of run ${this.#o.fid} gave up ${left} events because ${why}. The next try goes on from what is stored.`
    return new UnavailableError(message, { code: 'events_unsent', cause })
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#unsubscribe()
    this.#ended.abort(ENDED)
    const waiters = this.#waiters.splice(0)
    if (waiters.length === 0) return
    const reason = this.stopped.aborted ? this.stopped.reason : this.#unsent('it was closed')
    for (const waiter of waiters) waiter.failed(reason)
  }

  #stopWith(reason: Error): void {
    if (this.stopped.aborted) return
    this.#stop.abort(reason)
    this.#end()
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pumping) return
    this.#pumping = true
    // What no retry can help (access denied, a broken invariant) ends this epoch and reaches whoever flushes.
    this.#pump().catch((error: unknown) => this.#stopWith(error instanceof Error ? error : new Error(String(error))))
  }

  async #pump(): Promise<void> {
    try {
      while (this.#nextSeq <= this.#ring.lastSeq && !this.#ended.signal.aborted) await this.#sendNext()
    } finally {
      this.#pumping = false
    }
  }

  async #sendNext(): Promise<void> {
    try {
      if (this.#isFull() && !(await this.#makeRoom())) return
      const first = this.#nextSeq
      const records = this.#ring.slice(first, APPEND_COUNT_MAX, APPEND_BYTES_MAX)
      const answer = await this.#o.streams.append(this.#o.fid, this.epoch, first, records)
      await this.#react(answer, first + records.length - 1)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      await this.#backOff()
    }
  }

  /** Asks the store what it has; true when that makes room in the ring, else waits for news from it. */
  async #makeRoom(): Promise<boolean> {
    this.#news = Promise.withResolvers<void>()
    this.#noteCommitted((await this.#o.storeTop()).top)
    if (!this.#isFull()) return true
    await Promise.race([this.#news.promise, this.#backOff()])
    return false
  }

  /** True when what was sent and is not committed fills the ring. */
  #isFull(): boolean {
    return this.#ring.bytesTo(this.#nextSeq - 1) > this.#o.ringBytes
  }

  #backOff(): Promise<void> {
    return pause(this.#backoff.next(), this.#ended.signal)
  }

  #noteCommitted(top: Position): void {
    if (top.epoch !== this.epoch || top.seq <= this.#committed) return
    this.#committed = top.seq
    this.#trim()
    this.#news.resolve()
  }

  /** Forgets what is committed. What is committed and not yet acknowledged stays until it is: the append in flight still counts from it. */
  #trim(): void {
    this.#ring.dropTo(this.#o.streams.commits ? this.#acked : Math.min(this.#committed, this.#acked))
  }

  async #react(answer: AppendAnswer, last: number): Promise<void> {
    switch (answer.answer) {
      case 'ok':
      case 'dup':
        this.#prev ??= answer.prev
        this.#backoff.reset()
        return this.#acknowledge(last)
      case 'fenced':
        return this.#stopWith(this.#fenced(answer.top))
      case 'gap':
        return this.#resendFrom(answer.top)
      case 'nostream':
        return this.#restore()
      case 'busy':
        return this.#backOff()
    }
  }

  #acknowledge(last: number): void {
    this.#nextSeq = last + 1
    this.#acked = Math.max(this.#acked, last)
    this.#trim()
    const waiting = this.#waiters
    this.#waiters = waiting.filter((waiter) => waiter.upTo > this.#acked)
    for (const waiter of waiting) if (waiter.upTo <= this.#acked) waiter.done()
  }

  /** The stream stands at `top`, lower than this producer thought: goes back to there, out of the ring if that still has it. */
  async #resendFrom(top: Position): Promise<void> {
    const next = this.#seqAfter(top)
    if (next < this.#ring.firstSeq) return this.#restore()
    const again = next === this.#nextSeq
    this.#nextSeq = next
    // The same gap once more means that somebody else moves the stream: do not spin.
    if (again) await this.#backOff()
  }

  #seqAfter(top: Position): number {
    return top.epoch === this.epoch ? top.seq + 1 : 1
  }

  /** The stream is gone, or ends below what the ring still has: makes it stand where the store stands and goes on from there. */
  async #restore(): Promise<void> {
    const { top, ended } = await this.#o.storeTop()
    const next = this.#seqAfter(top)
    if (top.epoch > this.epoch || next > this.#ring.lastSeq + 1) return this.#stopWith(this.#fenced(top))
    if (ended && top.epoch === this.epoch)
      return this.#stopWith(new FencedError(`Run ${this.#o.fid} is over since ${formatPosition(top)}.`, { code: 'run_ended' }))
    if (next < this.#ring.firstSeq) return this.#stopWith(this.#lost(next, this.#ring.firstSeq - 1))
    await this.#o.streams.create(this.#o.fid, top)
    if (next > 1) this.#acknowledge(next - 1)
    this.#noteCommitted(top)
    this.#nextSeq = next
  }

  #fenced(top: Position): FencedError {
    return new FencedError(`Epoch ${this.epoch} of run ${this.#o.fid} is over: another writer is at ${formatPosition(top)}.`, { code: 'fenced' })
  }

  #lost(from: number, to: number): UnavailableError {
    const hole = { from: formatPosition({ epoch: this.epoch, seq: from }), to: formatPosition({ epoch: this.epoch, seq: to }) }
    const message = `The events ${hole.from} to ${hole.to} of run ${this.#o.fid} are neither in the stream nor in the store. The next try reports the hole.`
    return new UnavailableError(message, { code: 'events_lost', details: hole })
  }
}
