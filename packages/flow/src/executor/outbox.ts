import { RefusedError, type EventData, type EventKind } from '@koco/core'
import type { TryDeps } from './try.ts'

/** Emitted events that no flush has covered yet: from the first number on they are sent in the background, at the second the flow is told to await something. */
const UNFLUSHED_SEND = 1000
const UNFLUSHED_MAX = 50_000

/** The way of a try's events to its producer, counted and bounded. */
export class Outbox {
  readonly #deps: Pick<TryDeps, 'producer' | 'clock' | 'limits'>
  #events = 0
  #unflushed = 0
  #flushing = false
  #last = false

  constructor(deps: Pick<TryDeps, 'producer' | 'clock' | 'limits'>) {
    this.#deps = deps
  }

  /** Hands an event on; nothing when this epoch was stopped. RefusedError for events that are too large, too many, or emitted faster than they can be sent. */
  emit<K extends EventKind>(kind: K, data: EventData[K], step: string | undefined): void {
    const { producer, clock } = this.#deps
    if (producer.stopped.aborted) return
    if (!this.#last) this.#count()
    producer.emit({ kind, data, ts: clock.now() / 1000, ...(step !== undefined && { step }) })
  }

  /** What comes now are the try's last words: no limit keeps them back. */
  lift(): void {
    this.#last = true
  }

  /** Resolves when all that was emitted is acknowledged; false when this epoch was stopped instead. */
  async flush(): Promise<boolean> {
    this.#unflushed = 0
    try {
      await this.#deps.producer.flush()
      return true
    } catch (error) {
      if (this.#deps.producer.stopped.aborted) return false
      throw error
    }
  }

  #count(): void {
    const { events } = this.#deps.limits
    this.#events += 1
    this.#unflushed += 1
    if (this.#events > events) {
      throw new RefusedError(`The try has emitted ${events} events, the limit. Write large data to a file and emit its path.`, { code: 'too_many_events' })
    }
    if (this.#unflushed > UNFLUSHED_MAX) {
      throw new RefusedError(`The flow emitted ${UNFLUSHED_MAX} events without awaiting anything. Await a step now and then, so that they can be stored.`, {
        code: 'emitting_too_fast',
      })
    }
    if (this.#unflushed > UNFLUSHED_SEND && !this.#flushing) this.#send()
  }

  #send(): void {
    this.#flushing = true
    const before = this.#unflushed
    // A stopped producer says so by its signal, which ends the try.
    void this.#deps.producer
      .flush()
      .catch(() => undefined)
      .finally(() => {
        this.#flushing = false
        this.#unflushed = Math.max(0, this.#unflushed - before)
      })
  }
}
