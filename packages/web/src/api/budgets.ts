import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

/** What may be spent on models before runs are held: by each run, or on a day (UTC) by all together. Null: of every flow, by everybody; no limit of this kind. */
export type Budget = {
  readonly id: string
  readonly flow: string | null
  readonly user: string | null
  readonly per: 'run' | 'day'
  readonly cost: number | null
  readonly tokens: number | null
  readonly warn_at: number
  readonly assignees: readonly string[]
  readonly changed_at: number
  readonly changed_by: string
}

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
