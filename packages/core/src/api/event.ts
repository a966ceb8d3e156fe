import type { Json } from '../json.ts'

/** One immutable record of a run. `position` is its cursor, `<epoch>-<seq>`; `ts` unix seconds. `data` depends on `kind`; kinds of later versions are passed through. */
export type TimelineEvent = {
  readonly position: string
  readonly fid: string
  readonly epoch: number
  readonly seq: number
  readonly ts: number
  readonly kind: string
  readonly step: string | null
  readonly data: Json
}
