import type { Json } from '@koco/core'
import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'
import type { ListPage, Lock } from './shapes.ts'

/** The open questions that the signed-in person may answer. */
export const openLocksQuery = queryOptions({
  queryKey: ['locks', 'open'],
  queryFn: async ({ signal }) => (await api<ListPage<Lock>>('/api/locks?status=open&limit=100', { signal })).items,
  staleTime: 2000,
  refetchInterval: 15_000,
})

/** Answers a lock. Throws ApiProblem: 422 with `fields`, 409 when somebody was first or it is over. */
export function answerLock(fid: string, lid: string, answer: Json): Promise<unknown> {
  return api(`/api/runs/${fid}/locks/${encodeURIComponent(lid)}`, { method: 'POST', body: { answer } })
}
