import { isJsonObject, type Json } from '@koco/core'
import type { ContentTotals } from '@koco/core/api'
import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

/** A large result of a step, which the events of a run only name. */
export type NamedContent = { readonly fid: string; readonly sha256: string; readonly bytes: number }

/** The content that the data of an event names; null when it holds all that it says. */
export function contentIn(fid: string, data: { readonly [key: string]: Json }): NamedContent | null {
  const content = data['content']
  if (!isJsonObject(content)) return null
  const { sha256, bytes } = content
  return typeof sha256 === 'string' && typeof bytes === 'number' ? { fid, sha256, bytes } : null
}

/** The content itself; it never changes. */
export const contentQuery = ({ fid, sha256 }: NamedContent) =>
  queryOptions({
    queryKey: ['content', fid, sha256],
    queryFn: ({ signal }) => api<Json>(`/api/runs/${fid}/contents/${sha256}`, { signal }),
    staleTime: Infinity,
  })

/** How much is kept, for operators. */
export const contentTotalsQuery = queryOptions({
  queryKey: ['contents'],
  queryFn: ({ signal }) => api<ContentTotals>('/api/contents', { signal }),
  refetchInterval: 30_000,
})
