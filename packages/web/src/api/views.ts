import type { Page, SavedView } from '@koco/core/api'
import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

/** My saved views and those that others share, by name. */
export const viewsQuery = queryOptions({
  queryKey: ['views'],
  queryFn: async ({ signal }) => (await api<Page<SavedView>>('/api/views', { signal })).items,
  staleTime: 30_000,
})

/** Keeps a view; one of mine of the same name is replaced. Throws ApiProblem. */
export function saveView(view: Pick<SavedView, 'name' | 'search' | 'shared'>): Promise<SavedView> {
  return api('/api/views', { method: 'POST', body: view })
}

/** Deletes a view. */
export function deleteView(id: string): Promise<unknown> {
  return api(`/api/views/${encodeURIComponent(id)}`, { method: 'DELETE' })
}
