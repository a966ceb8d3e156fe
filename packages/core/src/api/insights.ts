import type { TokenCounts } from '../event.ts'

/** What model calls came to; the classes of tokens are disjoint, `cost` is of the priced calls only. */
export type ModelSums = { readonly calls: number; readonly priced_calls: number; readonly cost: number; readonly tokens: TokenCounts }

/** What runs and models came to. Durations are seconds, of runs that finished. */
export type Sums = ModelSums & {
  readonly started: number
  readonly finished: number
  /** Ended as error or timed out. */
  readonly failed: number
  readonly cancelled: number
  readonly p50_s: number | null
  readonly p95_s: number | null
}

/** The figures of some days (UTC), by day, flow, user and model. */
export type Insights = {
  readonly from: string
  readonly to: string
  readonly totals: Sums
  readonly days: readonly (Sums & { readonly day: string })[]
  readonly flows: readonly (Sums & { readonly flow: string })[]
  readonly users: readonly (Sums & { readonly user: string })[]
  readonly models: readonly (ModelSums & { readonly provider: string; readonly model: string; readonly mean_s: number })[]
}
