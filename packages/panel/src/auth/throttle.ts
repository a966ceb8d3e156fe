/** Counts failures under a name; after too many the name must wait. */
export type Throttle = {
  /** Seconds to wait before the next try; 0: go on. */
  waitS(name: string): number
  failed(name: string): void
  /** Takes one failure back. */
  forgiven(name: string): void
}

const NAMES_MAX = 10_000

/**
 * A throttle that lets `free` failures pass, then doubles the wait from 1 s up to 5 minutes; a name is forgotten after 15 minutes of
 * peace. Holds at most 10,000 names, the longest quiet go first.
 */
export function createThrottle(clock: () => number, free: number): Throttle {
  const seen = new Map<string, { failures: number; lastMs: number }>()
  const forgetMs = 15 * 60_000
  return {
    waitS(name) {
      const entry = seen.get(name)
      if (!entry || entry.failures < free) return 0
      const penaltyMs = Math.min(300_000, 1000 * 2 ** Math.min(20, entry.failures - free))
      return Math.ceil(Math.max(0, entry.lastMs + penaltyMs - clock()) / 1000)
    },
    failed(name) {
      const entry = seen.get(name)
      const failures = entry && clock() - entry.lastMs < forgetMs ? entry.failures : 0
      seen.delete(name)
      seen.set(name, { failures: failures + 1, lastMs: clock() })
      const quietest = seen.keys().next()
      if (seen.size > NAMES_MAX && !quietest.done) seen.delete(quietest.value)
    },
    forgiven(name) {
      const entry = seen.get(name)
      if (entry) entry.failures -= 1
    },
  }
}
