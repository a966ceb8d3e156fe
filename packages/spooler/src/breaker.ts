import { UnavailableError } from '@koco/core'
import { backoffMs, pause, type Backoff } from './backoff.ts'

/** Hears when a breaker opens (with the error that did it) and closes. */
export type BreakerListener = (open: boolean, error?: unknown) => void

/**
 * Guards the store. Closed: everything passes. The first UnavailableError opens it: then nobody but one probe at a time tries, after a back-off that grows with each failure; the first success closes it
 * and lets the others go on.
 */
export class Breaker {
  readonly #backoff: Backoff
  readonly #changed: BreakerListener
  #failures = 0
  #probing = false
  #waiting: (() => void)[] = []

  constructor(backoff: Backoff, changed: BreakerListener) {
    this.#backoff = backoff
    this.#changed = changed
  }

  get open(): boolean {
    return this.#failures > 0
  }

  /** Repeats the operation through outages until it succeeds. Rejects with any error but UnavailableError, and when `signal` aborts. */
  async run<T>(operation: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted()
      const probe = this.open
      if (probe && !(await this.#takeProbe(signal))) continue
      try {
        const result = await operation()
        this.#close()
        return result
      } catch (error) {
        if (!(error instanceof UnavailableError)) {
          this.#close()
          throw error
        }
        this.#fail(error)
      } finally {
        if (probe) this.#endProbe()
      }
    }
  }

  /** True when the caller is the probe now; false when somebody else's probe has ended: look again. */
  async #takeProbe(signal: AbortSignal): Promise<boolean> {
    if (this.#probing) {
      await this.#probeEnd(signal)
      return false
    }
    this.#probing = true
    try {
      await pause(backoffMs(this.#backoff, this.#failures), signal)
      return true
    } catch (error) {
      this.#endProbe()
      throw error
    }
  }

  #probeEnd(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.push(wake)
      signal.addEventListener('abort', wake)
    })
  }

  #endProbe(): void {
    this.#probing = false
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #fail(error: UnavailableError): void {
    this.#failures++
    if (this.#failures === 1) this.#changed(true, error)
  }

  #close(): void {
    if (this.#failures === 0) return
    this.#failures = 0
    this.#changed(false)
  }
}
