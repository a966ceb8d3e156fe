import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

/** Since when events come late (unix seconds) and a code that says why; null when all is well. */
export type Delay = { readonly delayed_since: number | null; readonly because: string | null }

/** Whether what runs do is shown late, asked again every few seconds. */
export const delayQuery = queryOptions({
  queryKey: ['delay'],
  queryFn: ({ signal }) => api<Delay>('/api/delay', { signal }),
  refetchInterval: 5000,
})
