import type { Flow, FlowDetail, Page } from '@koco/core/api'
import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

/** All flows that were ever served; the catalogue filters in the page, it is small. */
export const flowsQuery = queryOptions({
  queryKey: ['flows'],
  queryFn: async ({ signal }) => (await api<Page<Flow>>('/api/flows?limit=200', { signal })).items,
  staleTime: 10_000,
  refetchInterval: 30_000,
})

/** One flow with its input schema. */
export function flowQuery(name: string) {
  return queryOptions({
    queryKey: ['flow', name],
    queryFn: ({ signal }) => api<FlowDetail>(`/api/flows/${encodeURIComponent(name)}`, { signal }),
    staleTime: 10_000,
  })
}
