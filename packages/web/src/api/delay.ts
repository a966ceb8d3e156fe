import type { Delay } from '@koco/core/api'
import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

/** Whether what runs do is shown late, asked again every few seconds. */
export const delayQuery = queryOptions({
  queryKey: ['delay'],
  queryFn: ({ signal }) => api<Delay>('/api/delay', { signal }),
  refetchInterval: 5000,
})
