import type { DeadEvent, Operations, Page } from '@koco/core/api'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'

/** The state of the installation, asked again every few seconds. */
export const operationsQuery = queryOptions({
  queryKey: ['operations'],
  queryFn: ({ signal }) => api<Operations>('/api/operations', { signal }),
  refetchInterval: 3000,
})

/** The entries that were set aside, newest first. */
export const deadQuery = infiniteQueryOptions({
  queryKey: ['dead'],
  queryFn: ({ pageParam, signal }) => api<Page<DeadEvent>>(`/api/dead${queryOf({ limit: 50, after: pageParam ?? undefined })}`, { signal }),
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
