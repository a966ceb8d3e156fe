import { backoffMs, insist, pause, type Backoff } from './backoff.ts'
import { Breaker } from './breaker.ts'
import { commit, type CommitDeps } from './commit.ts'
import { Health } from './health.ts'
import { HeldStreams } from './held.ts'
import { BatchSizer } from './sizer.ts'
import { withDefaults, type FullOptions, type SpoolerOptions } from './options.ts'

/** Batches whose streams are held at a time, besides those that the lanes have. */
const BATCHES_AHEAD = 1
/** Streams taken at a time: spoolers that begin together begin with a part each. */
const ACQUIRE_MAX = 32
/** How long a stream that never runs dry is held while others may wait elsewhere, in ms. */
const TURN_MS = 200
/** Pause after an empty answer that came too early, in ms. */
const EARLY_MS = 20

/** How a spooler stands. `delayedSince`: unix ms since when the store or the transport are away and events wait; null when all is well. */
export type SpoolerStatus = {
  readonly state: 'idle' | 'running' | 'delayed' | 'stopping' | 'stopped'
  readonly delayedSince: number | null
  readonly delayedBy: string | null
  /** Streams held here. */
  readonly streams: number
  readonly inFlight: number
  /** Since the start. */
  readonly events: number
  readonly batches: number
}

/** Moves events from the streams into the store, exactly once: read, one transaction, acknowledge, tell. */
export interface Spooler {
  /** Starts reading; harmless when started. */
  start(): void
  /** Stops reading, finishes and acknowledges what is in flight, gives the streams back. After `graceMs` it gives up what is not committed: the next owner gets it again. Safe to call twice. */
  stop(graceMs: number): Promise<void>
  status(): SpoolerStatus
}

/** A spooler over one consumer. Throws RangeError for options that cannot work. */
export function createSpooler(options: SpoolerOptions): Spooler {
  return new StreamSpooler(withDefaults(options))
}

/*
 *   acquire loop ──▶ waiting ──▶ lane: read, commit, ack ──▶ released, or waiting again when more is known to be there
 *
 * While the store is away (breaker open) no lane starts and nothing is acquired; leases are renewed and one lane's batch is the probe.
 */
class StreamSpooler implements Spooler {
  readonly #options: FullOptions
  readonly #backoff: Backoff
  readonly #breaker: Breaker
  readonly #health: Health
  readonly #held = new HeldStreams()
  readonly #sizer: BatchSizer
  readonly #deps: CommitDeps
  readonly #stopReading = new AbortController()
  readonly #giveUp = new AbortController()
  readonly #working = new Set<Promise<void>>()
  readonly #timers: NodeJS.Timeout[] = []
  #gather: NodeJS.Timeout | undefined
  #acquiring: Promise<void> | undefined
  #stopped: Promise<void> | undefined
  #state: 'idle' | 'running' | 'stopping' | 'stopped' = 'idle'
  #lanes = 0
  #events = 0
  #batches = 0
  #wakeAcquire: (() => void) | undefined

  constructor(options: FullOptions) {
    this.#options = options
    this.#sizer = new BatchSizer(options.batchSize)
    this.#backoff = { ...options.backoffMs, random: options.random }
    this.#health = new Health(options.log, options.now, (delayed) => options.metrics.delayed?.(delayed))
    this.#breaker = new Breaker(this.#backoff, (open, error) => this.#storeChanged(open, error))
    this.#deps = { options, breaker: this.#breaker, backoff: this.#backoff, signal: this.#giveUp.signal, health: this.#health }
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.#acquiring = this.#acquireLoop()
    this.#every(this.#options.renewMs, () => this.#renew())
    this.#every(this.#options.sweepMs, async () => void (await this.#options.consumer.sweep()))
  }

  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs)
    return this.#stopped
  }

  status(): SpoolerStatus {
    const outage = this.#health.outage
    return {
      state: this.#state === 'running' && outage ? 'delayed' : this.#state,
      delayedSince: outage?.since ?? null,
      delayedBy: outage?.by ?? null,
      streams: this.#held.size,
      inFlight: this.#lanes,
      events: this.#events,
      batches: this.#batches,
    }
  }

  async #stop(graceMs: number): Promise<void> {
    this.#state = 'stopping'
    this.#stopReading.abort(new Error('the spooler stops'))
    this.#wakeAcquire?.()
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#gather)
    // With a side away there is nothing to wait for: what is not acknowledged is delivered again.
    const grace = setTimeout(() => this.#giveUp.abort(new Error('the spooler gives up its batch')), this.#health.outage ? 0 : graceMs)
    await Promise.all(this.#working)
    clearTimeout(grace)
    await this.#release(this.#held.listWaiting(), true)
    this.#giveUp.abort(new Error('the spooler is stopped'))
    await this.#options.consumer.close()
    await this.#acquiring
    this.#state = 'stopped'
  }

  async #acquireLoop(): Promise<void> {
    const signal = this.#stopReading.signal
    const failed = (error: unknown) => this.#health.failed('transport', error)
    while (!signal.aborted) {
      const room = this.#holdMax - this.#held.size
      if (room <= 0 || this.#breaker.open) {
        await new Promise<void>((resolve) => (this.#wakeAcquire = resolve))
        continue
      }
      const asked = performance.now()
      try {
        const fids = await insist(() => this.#options.consumer.acquire(Math.min(room, ACQUIRE_MAX), this.#options.blockMs), {
          backoff: this.#backoff,
          signal,
          failed,
        })
        this.#health.works('transport')
        this.#held.add(fids, this.#options.now())
        this.#pump()
        // The wait is the consumer's; one that was closed under us answers at once and must not keep the process busy.
        if (fids.length === 0 && performance.now() - asked < this.#options.blockMs / 2) await pause(EARLY_MS, signal)
      } catch {
        // Rejects only at the stop.
        return
      }
    }
  }

  /** Starts lanes while there is work. With a batch in flight a few streams wait a little for company; an idle spooler starts at once. */
  #pump(gathered = false): void {
    while (this.#state === 'running' && !this.#breaker.open && this.#lanes < this.#options.lanes && this.#held.waiting > 0) {
      if (this.#lanes > 0 && !gathered && !this.#held.worthALane) {
        this.#gather ??= setTimeout(() => this.#pump(true), this.#options.batchTimeoutS * 1000)
        return
      }
      clearTimeout(this.#gather)
      this.#gather = undefined
      const work = this.#lane(this.#held.take(this.#options.lanes - this.#lanes, this.#sizer.streams))
      this.#working.add(work)
      void work.finally(() => this.#working.delete(work))
    }
  }

  async #lane(fids: readonly string[]): Promise<void> {
    this.#lanes++
    const more = await this.#round(fids).catch((error: unknown) => this.#surprise(error))
    this.#lanes--
    if (more) this.#held.giveBack(more)
    const rest = more ? fids.filter((fid) => !more.has(fid)) : fids
    this.#held.forget(rest)
    const shared = this.#held.share(this.#holdMax, this.#options.now() - TURN_MS)
    this.#wakeAcquire?.()
    this.#pump()
    await this.#release(rest, more === undefined)
    await this.#release(shared, true)
  }

  /** How many streams are worth holding: those of the lanes and of the batch that comes next. More would wait here while another spooler is idle. */
  get #holdMax(): number {
    return Math.min(this.#options.streamsMax, (this.#options.lanes + BATCHES_AHEAD) * this.#sizer.streams)
  }

  /** One read and everything that follows from it. Gives the streams that are known to hold more. */
  async #round(fids: readonly string[]): Promise<ReadonlySet<string>> {
    const signal = this.#giveUp.signal
    const failed = (error: unknown) => this.#health.failed('transport', error)
    const countEach = this.#sizer.countEach(fids.length)
    const streams = await insist(() => this.#options.consumer.read(fids, countEach), { backoff: this.#backoff, signal, failed })
    this.#health.works('transport')
    await this.#options.crashPoint('read')
    const batch = await commit(this.#deps, streams)
    this.#sizer.learn(batch, streams, countEach)
    this.#events += batch.events
    if (batch.events > 0) this.#batches++
    return new Set(streams.filter((stream) => stream.more).map((stream) => stream.fid))
  }

  async #release(fids: readonly string[], again: boolean): Promise<void> {
    if (fids.length === 0 || this.#giveUp.signal.aborted) return
    try {
      await this.#options.consumer.release(fids, again)
    } catch (error) {
      // The leases end by themselves and the sweep finds the streams again.
      this.#health.failed('transport', error)
    }
  }

  /**
   * What no error class announces is a mistake in the code below: nothing was acknowledged. The streams are released, not read on: only a new
   * owner is given the entries again that were read here and not committed.
   */
  async #surprise(error: unknown): Promise<undefined> {
    if (this.#giveUp.signal.aborted) return
    this.#options.log.error({ err: error }, 'a batch failed unexpectedly; its streams are read again')
    try {
      await pause(backoffMs(this.#backoff, 5), this.#giveUp.signal)
    } catch {
      // Stopped meanwhile.
    }
  }

  async #renew(): Promise<void> {
    if (this.#held.size === 0) return
    const lost = new Set(await this.#options.consumer.renew(this.#held.list()))
    this.#held.forget(this.#held.listWaiting().filter((fid) => lost.has(fid)))
  }

  #storeChanged(open: boolean, error?: unknown): void {
    if (open) this.#health.failed('store', error)
    else {
      this.#health.works('store')
      this.#wakeAcquire?.()
      this.#pump()
    }
  }

  /** Repeats a task, one round at a time. A failure shows as the transport being away. */
  #every(ms: number, task: () => Promise<void>): void {
    let busy = false
    const round = async () => {
      if (busy) return
      busy = true
      await task().catch((error: unknown) => this.#health.failed('transport', error))
      busy = false
    }
    this.#timers.push(setInterval(() => void round(), ms).unref())
  }
}
