/** Where the time of day and waiting come from, so that tests can make hours pass. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `ring` once after `ms` of this clock; the result takes it back. */
  timer(ms: number, ring: () => void): () => void
}

const TIMER_MS_MAX = 2 ** 31 - 1

/** The machine's clock. A timer beyond what Node can hold (24 days) is set again until its time has come. */
export const systemClock: Clock = {
  now: () => Date.now(),
  timer(ms, ring) {
    const due = performance.now() + ms
    let handle = setTimeout(next, Math.min(ms, TIMER_MS_MAX))
    function next(): void {
      const left = due - performance.now()
      if (left < 1) ring()
      else handle = setTimeout(next, Math.min(left, TIMER_MS_MAX))
    }
    return () => clearTimeout(handle)
  },
}
