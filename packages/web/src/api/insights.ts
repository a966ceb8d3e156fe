import { queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'

/** What runs and models came to. Durations are seconds, of runs that finished; `cost` is of the priced calls only. */
export type Sums = {
  readonly started: number
  readonly finished: number
  readonly failed: number
  readonly cancelled: number
  readonly p50_s: number | null
  readonly p95_s: number | null
} & Usage

/** What model calls came to; the classes of tokens are disjoint. */
export type Usage = {
  readonly calls: number
  readonly priced_calls: number
  readonly cost: number
  readonly tokens: {
    readonly input_uncached: number
    readonly cache_read: number
    readonly cache_write: number
    readonly output: number
    readonly reasoning: number
  }
}

/** The figures of some days (UTC), by day, flow, user and model. */
export type Insights = {
  readonly from: string
  readonly to: string
  readonly totals: Sums
  readonly days: readonly (Sums & { readonly day: string })[]
  readonly flows: readonly (Sums & { readonly flow: string })[]
  readonly users: readonly (Sums & { readonly user: string })[]
  readonly models: readonly (Usage & { readonly provider: string; readonly model: string; readonly mean_s: number })[]
}

/** The figures of the last `days` days, up to today, of one flow or user or all. */
export function insightsQuery({ days, flow, user }: { readonly days: number; readonly flow?: string | undefined; readonly user?: string | undefined }) {
  return queryOptions({
    queryKey: ['insights', days, flow ?? '', user ?? ''],
    queryFn: ({ signal }) => {
      const to = new Date()
      const from = new Date(to.getTime() - (days - 1) * 86_400_000)
      const day = (date: Date) => date.toISOString().slice(0, 10)
      return api<Insights>(`/api/insights${queryOf({ from: day(from), to: day(to), flow, user })}`, { signal })
    },
    staleTime: 10_000,
    refetchInterval: 30_000,
  })
}

/** All classes together. */
export function tokensOf({ tokens }: Usage): number {
  return tokens.input_uncached + tokens.cache_read + tokens.cache_write + tokens.output + tokens.reasoning
}
