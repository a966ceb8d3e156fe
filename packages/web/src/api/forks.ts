import type { Json } from '@koco/core'
import type { ForkPlan, RunComparison } from '@koco/core/api'
import { queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'

/** What a fork changes; `at` is the position of the last event that it takes over. */
export type ForkWish = { readonly at: string; readonly inputs?: Json; readonly again?: readonly string[] }

/** The plan of a fork; nothing is done. */
export function forkPlanQuery(fid: string, wish: ForkWish) {
  return queryOptions({
    queryKey: ['fork', fid, wish],
    queryFn: async ({ signal }) => (await api<{ plan: ForkPlan }>(`/api/runs/${fid}/fork?dry_run`, { method: 'POST', body: wish, signal })).plan,
  })
}

/** Starts the fork; the same key never starts a second one. */
export function startFork(fid: string, wish: ForkWish, key: string): Promise<{ readonly fid: string }> {
  return api(`/api/runs/${fid}/fork`, { method: 'POST', body: wish, key })
}

/** Two runs side by side, looked at again while one of them lives. */
export function comparisonQuery(a: string, b: string) {
  return queryOptions({
    queryKey: ['compare', a, b],
    queryFn: ({ signal }) => api<RunComparison>(`/api/runs/compare${queryOf({ a, b })}`, { signal }),
    refetchInterval: 10_000,
  })
}
