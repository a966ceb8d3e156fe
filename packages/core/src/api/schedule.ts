import type { Json } from '../json.ts'

/** Starts a flow again and again, by a cron expression in a time zone, or every so many seconds. Times are unix seconds. */
export type Schedule = {
  readonly id: string
  readonly flow: string
  readonly inputs: Json
  /** Who made it; its runs are theirs. */
  readonly user: string
  readonly cron: string | null
  readonly time_zone: string | null
  readonly every_s: number | null
  readonly missed: 'skip' | 'once' | 'all'
  readonly overlap: 'skip' | 'allow'
  readonly paused: boolean
  readonly created_at: number
  /** The next start; null while it is paused. */
  readonly next_at: number | null
  /** The last start that was made, and its run. */
  readonly last_at: number | null
  readonly last_fid: string | null
  /** Why the last start was not made. */
  readonly problem: string | null
}
