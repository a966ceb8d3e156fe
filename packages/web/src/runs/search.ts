import { isRunStatus } from '@koco/core'
import type { RunFilter } from '../api/runs.ts'

/** What the URL of the run list says: the filter, so that a view can be kept as a bookmark and shared. Statuses are joined by commas. */
export type RunsSearch = { readonly status?: string; readonly flow?: string; readonly q?: string; readonly user?: string }

/** The search of a URL, without what it cannot mean. */
export function runsSearch(search: Record<string, unknown>): RunsSearch {
  const text = (name: string) => (typeof search[name] === 'string' || typeof search[name] === 'number' ? String(search[name]).slice(0, 200) : '')
  const status = text('status').split(',').filter(isRunStatus).join(',')
  return {
    ...(status !== '' && { status }),
    ...(text('flow') !== '' && { flow: text('flow') }),
    ...(text('user') !== '' && { user: text('user') }),
    ...(text('q') !== '' && { q: text('q') }),
  }
}

/** The filter that a URL names. */
export function filterOf(search: RunsSearch): RunFilter {
  const { status, ...rest } = search
  return status === undefined ? rest : { ...rest, status: status.split(',') }
}
