/** Counts failures under a name; after too many the name must wait. */
export type Throttle = {
  /** Seconds to wait before the next try under any of these names; 0: go on. */
  waitS(names: readonly string[]): number
  failed(names: readonly string[]): void
  succeeded(names: readonly string[]): void
}

const NAMES_MAX = 10_000

/**
 * A throttle that lets `free` failures pass, then doubles the wait from 1 s up to 5 minutes; a name is forgotten after 15 minutes of
 * peace. Holds at most 10,000 names, the longest quiet go first.
 */
export function createThrottle(clock: () => number, free: number): Throttle {
  const seen = new Map<string, { failures: number; lastMs: number }>()
  const forgetMs = 15 * 60_000
  const waitMs = (name: string): number => {
    const entry = seen.get(name)
    if (!entry || entry.failures < free) return 0
    const penalty = Math.min(300_000, 1000 * 2 ** Math.min(20, entry.failures - free))
    return Math.max(0, entry.lastMs + penalty - clock())
  }
  return {
    waitS: (names) => Math.ceil(Math.max(0, ...names.map(waitMs)) / 1000),
    failed(names) {
      for (const name of names) {
        const entry = seen.get(name)
        const fresh = entry && clock() - entry.lastMs < forgetMs ? entry.failures : 0
        seen.delete(name)
        seen.set(name, { failures: fresh + 1, lastMs: clock() })
      }
      for (const name of seen.keys()) {
        if (seen.size <= NAMES_MAX) break
        seen.delete(name)
      }
    },
    succeeded(names) {
      for (const name of names) seen.delete(name)
    },
  }
}
