import type {
  AutoCheckpoints,
  Checkpoint,
  CheckpointComparison,
  CheckpointTotals,
  CheckpointTree,
  Merge,
  Page,
  RestorePlan,
  WholeCheckpoint,
} from '@koco/core/api'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'

/** What is wanted of a merge. */
export type MergeRequest = {
  readonly ours: string
  readonly theirs: string
  readonly strategy: 'ours' | 'theirs' | 'manual'
  readonly resolution?: { readonly files: Readonly<Record<string, 'ours' | 'theirs'>>; readonly conversation?: 'ours' | 'theirs' | 'both' }
}

/** A session, as far as a checkpoint of it needs. */
export type SessionName = { readonly session_id: string; readonly title: string }

/** Checkpoints that words find, newest first. */
export const checkpointsQuery = (q: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['checkpoints', 'list', q ?? ''],
    queryFn: ({ pageParam, signal }) => api<Page<Checkpoint>>(`/api/checkpoints${queryOf({ q, limit: 50, after: pageParam ?? undefined })}`, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  })

/** The family of a session: its checkpoints and all that belong together with them. */
export const treeQuery = (session: string) =>
  queryOptions({
    queryKey: ['checkpoints', 'tree', session],
    queryFn: ({ signal }) => api<CheckpointTree>(`/api/checkpoints/tree?session_id=${session}`, { signal }),
  })

/** One checkpoint. */
export const checkpointQuery = (id: string) =>
  queryOptions({ queryKey: ['checkpoints', 'one', id], queryFn: ({ signal }) => api<WholeCheckpoint>(`/api/checkpoints/${id}`, { signal }) })

/** Two checkpoints side by side. */
export const compareQuery = (a: string, b: string) =>
  queryOptions({
    queryKey: ['checkpoints', 'compare', a, b],
    queryFn: ({ signal }) => api<CheckpointComparison>(`/api/checkpoints/compare${queryOf({ a, b })}`, { signal }),
  })

/** What restoring would change. */
export const planQuery = (id: string, inPlace: boolean) =>
  queryOptions({
    queryKey: ['checkpoints', 'plan', id, inPlace],
    queryFn: ({ signal }) => api<RestorePlan>(`/api/checkpoints/${id}/restore`, { method: 'POST', body: { dry_run: true, in_place: inPlace }, signal }),
    staleTime: 0,
    gcTime: 0,
  })

/** What all of them come to. */
export const totalsQuery = queryOptions({
  queryKey: ['checkpoints', 'totals'],
  queryFn: ({ signal }) => api<CheckpointTotals>('/api/checkpoints/totals', { signal }),
})

/** The latest sessions, to make checkpoints of. */
export const sessionNamesQuery = queryOptions({
  queryKey: ['checkpoints', 'sessions'],
  queryFn: async ({ signal }) => (await api<{ sessions: readonly SessionName[] }>('/api/sessions?limit=200&archived=all', { signal })).sessions,
})

/** Makes one; of files that did not change nothing is read again. */
export function createCheckpoint(session: string, description: string, tags: readonly string[], key: string): Promise<Checkpoint> {
  return api('/api/checkpoints', { method: 'POST', body: { session_id: session, description, tags, incremental: true }, key })
}

/** Makes a session of it, or puts its session back. */
export function restoreCheckpoint(id: string, inPlace: boolean): Promise<{ readonly session_id: string; readonly before: string | null }> {
  return api(`/api/checkpoints/${id}/restore`, { method: 'POST', body: { in_place: inPlace } })
}

/** Merges two, or tells the conflicts. */
export function mergeCheckpoints(request: MergeRequest): Promise<Merge> {
  return api('/api/checkpoints/merge', { method: 'POST', body: request })
}

/** Keeps it from being deleted, or lets it be. */
export function lockCheckpoint(id: string, lock: boolean): Promise<Checkpoint> {
  return api(`/api/checkpoints/${id}/${lock ? 'lock' : 'unlock'}`, { method: 'POST', body: {} })
}

/** Deletes it. */
export function deleteCheckpoint(id: string): Promise<null> {
  return api(`/api/checkpoints/${id}`, { method: 'DELETE' })
}

/** Whether checkpoints of a session are made by the clock. */
export const autoQuery = (session: string) =>
  queryOptions({
    queryKey: ['checkpoints', 'auto', session],
    queryFn: ({ signal }) => api<AutoCheckpoints>(`/api/checkpoints/auto?session_id=${session}`, { signal }),
  })

/** Begins that, or ends it (null). */
export function setAuto(session: string, intervalS: number | null): Promise<AutoCheckpoints> {
  return api('/api/checkpoints/auto', { method: 'POST', body: { session_id: session, interval_s: intervalS } })
}
