import type { RunFilter } from '../api/runs.ts'
import type { RunRow } from '../api/shapes.ts'

/** Rows with the changes that arrived put in place, and the runs that are new to the list, newest first. */
export type Merged = { readonly rows: readonly RunRow[]; readonly fresh: readonly RunRow[] }

/**
 * Puts changed runs into a list without moving anything: a known run is replaced where it stands, even when it does not match the filter any more; a new one that may match
 * is given back as fresh, for the person to let in. Older than the list's last row: it belongs to a page that was not read, so it is passed over.
 */
export function mergeRuns(rows: readonly RunRow[], changed: readonly RunRow[], filter: RunFilter, complete: boolean): Merged {
  const byFid = new Map(changed.map((run) => [run.fid, run]))
  const next = rows.map((row) => {
    const run = byFid.get(row.fid)
    byFid.delete(row.fid)
    return run && isNewer(run, row) ? { ...run, final: null } : row
  })
  const oldest = rows.at(-1)
  const inReach = (run: RunRow) => complete || oldest === undefined || run.created_at >= oldest.created_at
  const fresh = [...byFid.values()].filter((run) => inReach(run) && mayMatch(run, filter)).toSorted(newestFirst)
  return { rows: next, fresh }
}

/** Lets fresh runs into a list, newest first. */
export function letIn(rows: readonly RunRow[], fresh: readonly RunRow[]): RunRow[] {
  const known = new Set(rows.map((row) => row.fid))
  return [...fresh.filter((run) => !known.has(run.fid)), ...rows].toSorted(newestFirst)
}

/** Whether a run that just changed belongs into a filtered list, as far as the page can tell: the words of a search are looked for in what a row shows. */
function mayMatch(run: RunRow, filter: RunFilter): boolean {
  if (filter.status && !filter.status.includes(run.status)) return false
  if (filter.flow !== undefined && run.flow !== filter.flow) return false
  if (filter.user !== undefined && run.user !== filter.user) return false
  if (filter.tag !== undefined && !run.tags.includes(filter.tag)) return false
  if (run.created_at < (filter.created_from ?? 0) || run.created_at >= (filter.created_to ?? Infinity) || filter.archived) return false
  const text = [run.summary, run.about, run.flow, run.status, ...run.tags].join('\n').toLowerCase()
  return (filter.q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

function isNewer(run: RunRow, row: RunRow): boolean {
  return run.events > row.events || run.last_position !== row.last_position || run.status !== row.status || run.open_locks !== row.open_locks
}

function newestFirst(a: RunRow, b: RunRow): number {
  return b.created_at - a.created_at || (a.fid < b.fid ? 1 : -1)
}
