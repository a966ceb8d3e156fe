/** Resolves after `ms`, or at once when `signal` aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const waiting = Promise.withResolvers<void>()
  const timer = setTimeout(done, ms)
  signal.addEventListener('abort', done, { once: true })
  function done() {
    clearTimeout(timer)
    signal.removeEventListener('abort', done)
    waiting.resolve()
  }
  return waiting.promise
}

/** Delays of `firstMs`, doubling up to `mostMs`, each with full jitter above a tenth of it. `reset` after a success. */
export class Backoff {
  readonly #firstMs: number
  readonly #mostMs: number
  readonly #random: () => number
  #tries = 0

  constructor(firstMs: number, mostMs: number, random: () => number) {
    this.#firstMs = firstMs
    this.#mostMs = mostMs
    this.#random = random
  }

  next(): number {
    const ceiling = Math.min(this.#mostMs, this.#firstMs * 2 ** Math.min(this.#tries++, 30))
    return ceiling * (0.1 + 0.9 * this.#random())
  }

  reset(): void {
    this.#tries = 0
  }
}
