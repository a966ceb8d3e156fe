import type { Json } from '@koco/core'
import type { Page } from './page.ts'

/** When a schedule starts runs: by a cron expression in a time zone (IANA), or every so many milliseconds, counted from its creation on. */
export type Timing = { readonly cron: string; readonly timeZone: string } | { readonly everyMs: number }

/**
 * Starts a flow again and again, as `user`. Times are unix seconds. `missed`: what becomes of starts that nobody was there to make: none, the last one, all of them (the last 100). `overlap`: whether
 * a start is made while the run before is not over.
 */
export type Schedule = {
  readonly id: string
  readonly flow: string
  readonly inputs: Json
  readonly user: string
  readonly launcher: string
  readonly timing: Timing
  readonly missed: 'skip' | 'once' | 'all'
  readonly overlap: 'skip' | 'allow'
  readonly createdAt: number
  readonly paused: boolean
  /** The next start that was not made; null: none will come. */
  readonly nextAt: number | null
  /** The last start that was made, the time that it was due at, and its run. */
  readonly lastAt: number | null
  readonly lastFid: string | null
  /** Why the last start was not made. */
  readonly problem: string | null
}

/** What changes when a start was made or passed over. */
export type ScheduleStep = Pick<Schedule, 'nextAt' | 'lastAt' | 'lastFid' | 'problem'>

/** The schedules. Who makes their starts is the launcher's affair. */
export interface ScheduleStore {
  /** RefusedError `schedule_exists`. */
  create(schedule: Schedule): Promise<void>
  get(id: string): Promise<Schedule | undefined>
  /** By id. */
  list(query: { readonly user?: string; readonly cursor?: string; readonly limit: number }): Promise<Page<Schedule>>
  /** Those of a launcher that are not paused and whose next start is at `at` or before it, the earliest first. */
  due(launcher: string, at: number, limit: number): Promise<readonly Schedule[]>
  /** Pauses a schedule, or lets it go on at `nextAt`; false for an unknown one. */
  pause(id: string, paused: boolean, nextAt: number | null): Promise<boolean>
  /** Takes a step; false when somebody else has taken it: the next start is no longer `from`. What it tells of the last start is passed over when a later one is noted: starts may be told of in any order. */
  advance(id: string, from: number | null, step: ScheduleStep): Promise<boolean>
  delete(id: string): Promise<boolean>
}
