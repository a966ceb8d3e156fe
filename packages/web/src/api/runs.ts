import type { Json } from '@koco/core'
import type { BulkOutcome, Page, TimelineEvent } from '@koco/core/api'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'
import type { WholeRun, RunRow } from './shapes.ts'

/** What the run list is filtered by; the same names as in the URL of the page and of the API. */
export type RunFilter = {
  readonly status?: readonly string[]
  readonly flow?: string
  readonly q?: string
  readonly user?: string
  readonly tag?: string
  /** Unix seconds. */
  readonly created_from?: number
  readonly created_to?: number
  readonly archived?: 'true'
}

/** What a person can ask of a run. */
export type RunAction = 'pause' | 'resume' | 'cancel' | 'retry'

const RUNS_PAGE = 100

/** The path of a filtered list; also that of its live stream. */
export function runsPath(filter: RunFilter, paging: { readonly after?: string; readonly limit?: number } = {}): string {
  const { status, ...rest } = filter
  return `/api/runs${queryOf({ status: status?.join(','), ...rest, after: paging.after, limit: paging.limit })}`
}

/** Where the list comes as a file: the newest 100,000 that match at most. */
export function runsFile(filter: RunFilter, format: 'csv' | 'jsonl'): string {
  const { status, ...rest } = filter
  return `/api/runs/export${queryOf({ status: status?.join(','), ...rest, format })}`
}

/** The run list, newest first, page by page. */
export function runsQuery(filter: RunFilter) {
  return infiniteQueryOptions({
    queryKey: ['runs', filter],
    queryFn: async ({ pageParam, signal }) => {
      const page = await api<Page<RunRow>>(runsPath(filter, { limit: RUNS_PAGE, ...(pageParam !== null && { after: pageParam }) }), { signal })
      return { ...page, items: page.items.map(received) }
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    staleTime: 5000,
  })
}

/** One run with locks, final, inputs and usage. */
export function runQuery(fid: string) {
  return queryOptions({ queryKey: ['run', fid], queryFn: async ({ signal }) => received(await api<WholeRun>(`/api/runs/${fid}`, { signal })), staleTime: 1000 })
}

/** The newest of the runs that a run has started. */
export function childrenQuery(fid: string) {
  return queryOptions({
    queryKey: ['children', fid],
    queryFn: ({ signal }) => api<Page<RunRow>>(`/api/runs${queryOf({ parent: fid, limit: 50 })}`, { signal }),
    refetchInterval: 10_000,
  })
}

/** Starts a run; the same key never starts a second one. Throws ApiProblem with `fields` when inputs do not fit (422). */
export function startRun(flow: string, inputs: Json, key: string): Promise<{ readonly fid: string }> {
  return api('/api/runs', { method: 'POST', body: { flow, inputs }, key })
}

/** Asks something of a run; durable and idempotent. */
export function controlRun(fid: string, action: RunAction): Promise<unknown> {
  return api(`/api/runs/${fid}/${action}`, { method: 'POST', body: {} })
}

/** The next page of a run's timeline after a position (exclusive). `unsearched`: large results that a search did not look into. */
export function eventsPage(
  fid: string,
  query: { readonly after?: string; readonly q?: string; readonly kind?: string; readonly limit: number },
  signal?: AbortSignal,
): Promise<Page<TimelineEvent> & { readonly unsearched?: number }> {
  return api(`/api/runs/${fid}/events${queryOf(query)}`, signal ? { signal } : {})
}

/** Hides an ended run from lists, or shows it again. */
export function archiveRun(fid: string, archived: boolean): Promise<unknown> {
  return archived ? api(`/api/runs/${fid}`, { method: 'DELETE' }) : api(`/api/runs/${fid}/restore`, { method: 'POST', body: {} })
}

/** A run as it came from the server, with the moment at which it came. */
export function received<T extends RunRow | WholeRun>(run: T): T {
  return { ...run, read_at: Date.now() / 1000 }
}

/** What a person can ask of many runs at once. */
export type BulkAction = 'cancel' | 'retry' | 'archive' | 'restore'

const BULK_MAX = 200
const BULK_ROUNDS_MAX = 500

/** Asks something of these runs, or of all that match a filter; `told` hears the outcomes as they come. Stops when aborted. */
export async function bulkRuns(
  action: BulkAction,
  chosen: { readonly fids: readonly string[] } | { readonly filter: RunFilter },
  told: (outcomes: readonly BulkOutcome[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const ask = (body: object) => api<{ items: BulkOutcome[]; next: string | null }>('/api/runs/bulk', { method: 'POST', body: { action, ...body }, signal })
  if ('fids' in chosen) {
    for (let from = 0; from < chosen.fids.length; from += BULK_MAX) told((await ask({ fids: chosen.fids.slice(from, from + BULK_MAX) })).items)
    return
  }
  let after: string | null = null
  for (let round = 0; round < BULK_ROUNDS_MAX; round++) {
    const answer: { items: BulkOutcome[]; next: string | null } = await ask({ filter: { ...chosen.filter, ...(after !== null && { after }) } })
    told(answer.items)
    after = answer.next
    if (after === null) return
  }
}
