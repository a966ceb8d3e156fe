import type { Json } from '@koco/core'
import type { Page, Schedule, Timing } from '@koco/storage'

/** A schedule to make. `id`: 1 to 63 of `a-z 0-9 - _ .`; without one it is made of the flow's name. Defaults: `missed` once, `overlap` skip. */
export type NewSchedule = {
  readonly id?: string
  readonly flow: string
  readonly inputs: Json
  readonly user: string
  readonly timing: Timing
  readonly missed?: Schedule['missed']
  readonly overlap?: Schedule['overlap']
}

/**
 * Starts flows by the clock. Every start carries a key of the schedule and its time, so that it is made once, however many processes try. Made beside a launcher, one
 * adapter for each.
 */
export interface Schedules {
  /** RefusedError `bad_timing`, `bad_schedule`, `schedule_exists`, `unknown_flow`, `invalid_inputs`. */
  create(schedule: NewSchedule): Promise<Schedule>
  get(id: string): Promise<Schedule | undefined>
  /** By id; RefusedError `bad_cursor`. */
  list(query: { readonly user?: string; readonly cursor?: string; readonly limit: number }): Promise<Page<Schedule>>
  /** No start is made until `resume`, and none is made up for. False for an unknown one. */
  pause(id: string): Promise<boolean>
  resume(id: string): Promise<boolean>
  /** Starts a run now, whatever the timing and the overlap say. Undefined for an unknown schedule. */
  trigger(id: string): Promise<{ readonly fid: string } | undefined>
  /** Runs that it has started go on. */
  delete(id: string): Promise<boolean>
  /** Makes no more starts. */
  close(): Promise<void>
}
