import type { Insights, ModelSums } from '@koco/core/api'
import { queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'

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
export function tokensOf({ tokens }: ModelSums): number {
  return tokens.input_uncached + tokens.cache_read + tokens.cache_write + tokens.output + tokens.reasoning
}
