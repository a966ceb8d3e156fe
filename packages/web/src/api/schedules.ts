import type { Page, Schedule } from '@koco/core/api'
import { infiniteQueryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'

/** My schedules, or those of all for operators. */
export const schedulesQuery = infiniteQueryOptions({
  queryKey: ['schedules'],
  queryFn: ({ pageParam, signal }) => api<Page<Schedule>>(`/api/schedules${queryOf({ limit: 100, after: pageParam ?? undefined })}`, { signal }),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next,
  refetchInterval: 10_000,
})

const path = (id: string) => `/api/schedules/${encodeURIComponent(id)}`

/** Pauses a schedule, or lets it go on. */
export function pauseSchedule(id: string, pause: boolean): Promise<Schedule> {
  return api(`${path(id)}/${pause ? 'pause' : 'resume'}`, { method: 'POST', body: {} })
}

/** Starts a run of it now. */
export function triggerSchedule(id: string, key: string): Promise<{ readonly fid: string }> {
  return api(`${path(id)}/trigger`, { method: 'POST', body: {}, key })
}

/** Deletes a schedule; its runs go on. */
export function deleteSchedule(id: string): Promise<unknown> {
  return api(path(id), { method: 'DELETE' })
}
