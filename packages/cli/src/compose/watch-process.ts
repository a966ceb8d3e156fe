import type { Logger } from 'pino'

const LOOK_MS = 500
/** What a busy machine may delay a timer by without a word. */
const STILL_MS = 3000
const STEP_MS = 1000

/** What tells the time; replaced in tests. `wall`: the clock of people, `steady`: one that nobody sets. Both in ms. */
export type Clocks = { readonly wall: () => number; readonly steady: () => number }

/**
 * Says when this process stood still (SIGSTOP, a sleeping laptop, a machine out of memory or CPU) and when somebody set the clock: both look like faults of something else. Returns what ends the watch.
 */
export function watchProcess(log: Pick<Logger, 'warn'>, clocks: Clocks = { wall: Date.now, steady: () => performance.now() }): () => void {
  let steady = clocks.steady()
  let ahead = clocks.wall() - steady
  const look = (): void => {
    const now = clocks.steady()
    const stillMs = now - steady - LOOK_MS
    steady = now
    if (stillMs > STILL_MS)
      log.warn({ still_ms: Math.round(stillMs) }, `this process stood still for ${seconds(stillMs)} s: it was stopped, or its machine had no time for it`)
    const steppedMs = clocks.wall() - now - ahead
    ahead += steppedMs
    if (Math.abs(steppedMs) > STEP_MS)
      log.warn(
        { stepped_ms: Math.round(steppedMs) },
        `the clock of this machine was set ${seconds(Math.abs(steppedMs))} s ${steppedMs > 0 ? 'ahead' : 'back'}: keep it by NTP, which slews it`,
      )
  }
  const timer = setInterval(look, LOOK_MS).unref()
  return () => clearInterval(timer)
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}
