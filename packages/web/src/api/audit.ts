import type { AuditEntry, Page } from '@koco/core/api'
import { infiniteQueryOptions } from '@tanstack/react-query'
import { api, queryOf } from './client.ts'

/** What the log is filtered by; `action` may be the beginning of some. */
export type AuditFilter = { readonly actor?: string | undefined; readonly action?: string | undefined; readonly target?: string | undefined }

/** The audit log, newest first. */
export function auditQuery(filter: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam, signal }) => api<Page<AuditEntry>>(`/api/audit${queryOf({ ...filter, limit: 100, after: pageParam ?? undefined })}`, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: 10_000,
  })
}

/** Where the log comes as a file. */
export function auditFile(filter: AuditFilter, format: 'csv' | 'jsonl'): string {
  return `/api/audit/export${queryOf({ ...filter, format })}`
}
