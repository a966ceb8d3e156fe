import { RefusedError } from '@koco/core'
import type { Journal } from './journal.ts'

/** So many deaths in a row are followed by the next try at once: what kills a process is mostly not the run that it was at. */
const AT_ONCE = 2
const FIRST_REST_MS = 1000
const LONGEST_REST_MS = 60_000

/** How long a run rests, in ms, after so many tries one after the other that ended with the death of their process, without progress in between: not at all after two, then 1 s, 2 s, 4 s … up to a minute. */
export function restAfter(deaths: number): number {
  return deaths <= AT_ONCE ? 0 : Math.min(FIRST_REST_MS * 2 ** (deaths - AT_ONCE - 1), LONGEST_REST_MS)
}

/** Why a run rests, for who looks at it. */
export function whyRest({ deaths, lastBegun }: Pick<Journal, 'deaths' | 'lastBegun'>, restMs: number): string {
  return `${deaths} tries one after the other ended with their process${where(lastBegun)}; the next comes after ${restMs / 1000} s`
}

/** The end of a run that kills whatever process it is at. */
export function crashLoop({ deaths, lastBegun }: Pick<Journal, 'deaths' | 'lastBegun'>): RefusedError {
  return new RefusedError(
    `${deaths} tries one after the other ended with the death of their process${where(lastBegun)}, without a finished step in between. Look for what kills it (memory?), then retry the run.`,
    { code: 'crash_loop' },
  )
}

function where(lastBegun: string | null): string {
  return lastBegun === null ? '' : `, last in step "${lastBegun}"`
}
