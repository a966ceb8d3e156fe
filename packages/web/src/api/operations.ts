import type { RunStatus } from '@koco/core'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'
import type { FlowWorker, ListPage } from './shapes.ts'

/** How the installation stands. A check is `ok` or a code; the consumer named '' stands for streams that nobody holds. */
export type Operations = {
  readonly version: string
  readonly checks: Readonly<Record<string, string>>
  readonly consumers: readonly { readonly name: string; readonly streams: number; readonly lag: number; readonly oldest_pending_s: number | null }[] | null
  readonly workers: readonly (FlowWorker & { readonly launcher: string; readonly flows: number })[]
  readonly runs: Readonly<Partial<Record<RunStatus, number>>>
  readonly dead_events: number
}

/** An entry of a stream that could not be stored. */
export type DeadEvent = {
  readonly id: number
  readonly fid: string
  readonly position: string
  readonly reason: string
  readonly body: string
  readonly at: number
}

/** The state of the installation, asked again every few seconds. */
export const operationsQuery = queryOptions({
  queryKey: ['operations'],
  queryFn: ({ signal }) => api<Operations>('/api/operations', { signal }),
  refetchInterval: 3000,
})

/** The entries that were set aside, newest first. */
export const deadQuery = infiniteQueryOptions({
  queryKey: ['dead'],
  queryFn: ({ pageParam, signal }) => api<ListPage<DeadEvent>>(`/api/dead${queryOf({ limit: 50, after: pageParam ?? undefined })}`, { signal }),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next,
  refetchInterval: 10_000,
})

/** Writes an entry to the store again. Throws ApiProblem 409 or 422 when it cannot be. */
export function retryDead(id: number): Promise<unknown> {
  return api(`/api/dead/${id}/retry`, { method: 'POST', body: {} })
}

/** Throws an entry away for good. */
export function discardDead(id: number): Promise<unknown> {
  return api(`/api/dead/${id}`, { method: 'DELETE' })
}
