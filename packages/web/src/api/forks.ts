import type { Json } from '@koco/core'
import { queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'
import type { Run } from './shapes.ts'

/** What a fork changes; `at` is the position of the last event that it takes over. */
export type ForkWish = { readonly at: string; readonly inputs?: Json; readonly again?: readonly string[] }

/** What a fork takes over and what it does again. */
export type ForkPlan = {
  readonly from: string
  readonly at: string
  readonly events: number
  readonly reused: readonly { readonly id: string; readonly name: string; readonly at: string; readonly edited: boolean }[]
  readonly again: readonly {
    readonly id: string
    readonly name: string
    readonly reason: 'unfinished' | 'later' | 'asked'
    readonly idempotency_key_before: string
  }[]
  readonly open_locks: readonly { readonly lid: string; readonly name: string }[]
  readonly children: readonly { readonly fid: string; readonly flow: string }[]
  readonly end_cut: boolean
}

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

/** A line of two texts laid over each other. */
export type DiffLine = { readonly in: 'both' | 'a' | 'b'; readonly text: string }

/** A step of one of two runs. */
export type ComparedStep = {
  readonly status: 'finished' | 'failed' | 'open'
  readonly tries: number
  readonly duration_s: number | null
  readonly tokens: number
  readonly cost: number | null
  readonly result: Json
}

/** Two runs side by side. */
export type Comparison = {
  readonly a: Run
  readonly b: Run
  readonly inputs: readonly DiffLine[]
  readonly final: readonly DiffLine[]
  readonly steps: readonly {
    readonly id: string
    readonly name: string
    readonly same: boolean
    readonly a: ComparedStep | null
    readonly b: ComparedStep | null
  }[]
  readonly differences: { readonly runtime_s: number | null; readonly events: number; readonly tokens: number; readonly cost: number | null }
}

/** Two runs side by side, looked at again while one of them lives. */
export function comparisonQuery(a: string, b: string) {
  return queryOptions({
    queryKey: ['compare', a, b],
    queryFn: ({ signal }) => api<Comparison>(`/api/runs/compare${queryOf({ a, b })}`, { signal }),
    refetchInterval: 10_000,
  })
}
