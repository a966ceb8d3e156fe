import { isJsonObject, type Json } from '@koco/core'
import type { ForkPlan, Page, RunComparison, TimelineEvent } from '@koco/core/api'
import { queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'
import { contentIn, contentQuery } from './contents.ts'

/** What a fork changes; `at` is the position of the last event that it takes over. */
export type ForkWish = { readonly at: string; readonly inputs?: Json; readonly again?: readonly string[]; readonly results?: Readonly<Record<string, Json>> }

/** The plan of a fork; nothing is done. */
export function forkPlanQuery(fid: string, wish: ForkWish) {
  return queryOptions({
    queryKey: ['fork', fid, wish],
    queryFn: async ({ signal }) => (await api<{ plan: ForkPlan }>(`/api/runs/${fid}/fork?dry_run`, { method: 'POST', body: wish, signal })).plan,
  })
}

const PAGES_MAX = 20

/** The result of the step that finished at a position of a run. */
export function stepResultQuery(fid: string, at: string) {
  return queryOptions({
    queryKey: ['step result', fid, at],
    queryFn: async ({ signal, client }): Promise<Json> => {
      let after: string | undefined
      for (let page = 0; page < PAGES_MAX; page++) {
        const { items, next } = await api<Page<TimelineEvent>>(`/api/runs/${fid}/events${queryOf({ kind: 'step', limit: 1000, after })}`, { signal })
        const found = items.find(({ position }) => position === at)
        if (found && isJsonObject(found.data)) {
          const content = contentIn(fid, found.data)
          return content ? await client.fetchQuery(contentQuery(content)) : (found.data['result'] ?? null)
        }
        if (next === null) break
        after = next
      }
      return null
    },
    staleTime: Infinity,
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
