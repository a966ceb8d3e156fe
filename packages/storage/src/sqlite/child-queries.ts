import type { RunStatus } from '@koco/core'
import { clampLimit } from '../cursor.ts'
import type { ChildSummary } from '../port/runs.ts'
import type { Db } from './connection.ts'

/** The condition that finds the runs of a parent, in the words of their index. */
export const CHILD_OF = "about ->> 'parent' = ?"

type RawChild = { readonly fid: string; readonly status: RunStatus; readonly finished: number | null }
type Count = { readonly status: RunStatus; readonly n: number }

/** How many runs there are, and which were started by another. */
export function childQueries(db: Db) {
  const children = db.prepare<[string, string, number], RawChild>(
    `SELECT fid, status, state ->> 'finishedAt' AS finished FROM runs JOIN run_states ON run_states.run = runs.id WHERE ${CHILD_OF} AND fid > ? ORDER BY fid LIMIT ?`,
  )
  const all = db.prepare<[], Count>('SELECT status, count(*) AS n FROM runs GROUP BY status')
  const among = db.prepare<[string], Count>(`SELECT status, count(*) AS n FROM runs WHERE ${CHILD_OF} GROUP BY status`)
  return {
    childrenOf: (parent: string, after: string | null, limit: number): ChildSummary[] =>
      children.all(parent, after ?? '', clampLimit(limit)).map(({ fid, status, finished }) => ({ fid, status, finishedAt: finished })),
    countRuns: (parent: string | null): Partial<Record<RunStatus, number>> =>
      Object.fromEntries((parent === null ? all.all() : among.all(parent)).map(({ status, n }) => [status, n])),
  }
}
