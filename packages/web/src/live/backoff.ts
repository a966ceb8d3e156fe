const DELAY_MAX_MS = 15_000

/** How long to wait before the n-th try (from 1): doubled each time up to 15 s, with half of it left to chance so that many pages do not return at once. */
export function backoffMs(tries: number, baseMs: number, random: () => number): number {
  const full = Math.min(DELAY_MAX_MS, baseMs * 2 ** Math.min(tries - 1, 10))
  return full / 2 + (full / 2) * random()
}

/** Resolves after a time, or at once when aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
