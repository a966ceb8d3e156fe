import { setTimeout as sleep } from 'node:timers/promises'

/** Waits between tries: full jitter (anything from 0 up) below a ceiling that doubles with each failure. */
export type Backoff = { readonly first: number; readonly last: number; readonly random: () => number }

/** How long to wait after the `failures`-th failure in a row, in ms. */
export function backoffMs(backoff: Backoff, failures: number): number {
  const ceiling = Math.min(backoff.last, backoff.first * 2 ** Math.min(failures - 1, 30))
  return backoff.random() * ceiling
}

/** Waits; rejects with the signal's reason when it aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  try {
    await sleep(ms, undefined, { signal })
  } catch {
    signal.throwIfAborted()
  }
}

/**
 * Repeats an operation that is safe to repeat until it succeeds, waiting between tries. `failed` hears each failure with its number in the row. Rejects only
 * when `signal` aborts.
 */
export async function insist<T>(
  operation: () => Promise<T>,
  options: { readonly backoff: Backoff; readonly signal: AbortSignal; readonly failed: (error: unknown, failures: number) => void },
): Promise<T> {
  for (let failures = 1; ; failures++) {
    options.signal.throwIfAborted()
    try {
      return await operation()
    } catch (error) {
      options.signal.throwIfAborted()
      options.failed(error, failures)
    }
    await pause(backoffMs(options.backoff, failures), options.signal)
  }
}
