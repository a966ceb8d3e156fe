import type { Json } from '@koco/core'
import type { Lock, Page } from '@koco/core/api'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'

/** The open questions that the signed-in person may see: `may_answer` and `for_me` say what they are to them. */
export const openLocksQuery = queryOptions({
  queryKey: ['locks', 'open'],
  queryFn: async ({ signal }) => (await api<Page<Lock>>('/api/locks?status=open&limit=200', { signal })).items,
  staleTime: 2000,
  refetchInterval: 15_000,
  // Also while nobody looks at the page: that is when the number in its title and the browser's notifications are for.
  refetchIntervalInBackground: true,
})

/** The questions that were answered, the newest question first. */
export const answeredLocksQuery = infiniteQueryOptions({
  queryKey: ['locks', 'answered'],
  queryFn: ({ pageParam, signal }) => api<Page<Lock>>(`/api/locks${queryOf({ status: 'answered', limit: 30, after: pageParam ?? undefined })}`, { signal }),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next,
  refetchInterval: 15_000,
})

/** Answers a lock, with a reason or an empty one. Throws ApiProblem: 422 with `fields`, 409 when somebody was first or it is over. */
export function answerLock(fid: string, lid: string, answer: Json, reason: string): Promise<unknown> {
  return api(`/api/runs/${fid}/locks/${encodeURIComponent(lid)}`, { method: 'POST', body: { answer, ...(reason.trim() !== '' && { reason }) } })
}
