import type { Budget } from '@koco/core/api'
import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

/** All budgets; for operators. */
export const budgetsQuery = queryOptions({
  queryKey: ['budgets'],
  queryFn: async ({ signal }) => (await api<{ items: readonly Budget[] }>('/api/budgets', { signal })).items,
  staleTime: 5_000,
})

/** Makes or changes a budget. Throws ApiProblem 422 with `fields`. */
export function setBudget({ id, ...budget }: Omit<Budget, 'changed_at' | 'changed_by'>): Promise<Budget> {
  return api(`/api/budgets/${encodeURIComponent(id)}`, { method: 'PUT', body: budget })
}

/** Deletes a budget; the runs that it holds go on. */
export function deleteBudget(id: string): Promise<unknown> {
  return api(`/api/budgets/${encodeURIComponent(id)}`, { method: 'DELETE' })
}
