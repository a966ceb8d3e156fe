import type { EventRecord, Position, RunStatus } from '@koco/core'
import { isFid, must } from '@koco/core'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { EndedRun, Projection, RunCopy, SessionCopy, StoreKeeper } from '../port/keeper.ts'
import type { Page } from '../port/page.ts'
import type { SideRow, SideTable } from '../side-tables.ts'
import type { Db } from './connection.ts'
import { createCopier } from './copy-runs.ts'
import { sessionCopies } from './copy-sessions.ts'
import { ENDED_FOR_GOOD } from './keeper-changes.ts'
import type { RunFiles } from './run-files.ts'
import { type RawRun, readRun, SELECT_RUN } from './run-rows.ts'
import { sideRows } from './side-tables.ts'
import { StoredRecords } from './stored-records.ts'

type EndedQuery = Parameters<StoreKeeper['ended']>[0]
type RawEnded = Omit<EndedRun, 'bytes'> & { readonly id: number; readonly home: string | null; readonly status: RunStatus }

type KeeperQueries = {
  endedRuns(query: EndedQuery): Page<EndedRun>
  copyRuns(after: string | null, limit: number): RunCopy[]
  copySessions(after: string | null, limit: number): SessionCopy[]
  sideRows(table: SideTable): SideRow[]
  totals(): { runs: number; events: number }
  projection(): Projection
  storedRecords(fid: string, after: Position, limit: number): { readonly records: readonly EventRecord[]; readonly complete: boolean }
}

/** The reads of whoever keeps house, on the reading connection. */
export function keeperQueries(db: Db, files: RunFiles): KeeperQueries {
  const stored = new StoredRecords(db, files)
  const find = db.prepare<[string], RawRun>(`${SELECT_RUN} WHERE fid = ?`)
  const count = db.prepare('SELECT count(*) FROM runs').pluck()
  const events = db.prepare("SELECT coalesce(sum(state ->> 'events'), 0) FROM run_states").pluck()
  const projection = db.prepare<[], Projection>('SELECT version, cursor FROM projection')
  const waitingSize = db.prepare<[number], number>('SELECT coalesce(sum(size), 0) FROM chunks WHERE run = ?').pluck()
  const large = db
    .prepare<[string], number>('SELECT coalesce(sum(kept), 0) FROM (SELECT max(stored) AS kept FROM run_contents WHERE fid = ? GROUP BY hash)')
    .pluck()
  return {
    // One snapshot: a run that is filed meanwhile has its events in the index or in its file for it, never in neither.
    endedRuns: db.transaction((query: EndedQuery) => {
      const limit = clampLimit(query.limit)
      const at = query.cursor === undefined ? null : decodeCursor('ended', query.cursor, ['number', 'string'])
      const rows = db
        .prepare<unknown[], RawEnded>(
          `SELECT id, fid, flow, user, created_at AS createdAt, home, status, coalesce(state ->> 'finishedAt', created_at) AS endedAt, state ->> 'events' AS events
          FROM runs JOIN run_states ON run_states.run = runs.id WHERE ${ENDED_FOR_GOOD} ${at ? 'AND (created_at, fid) < (?, ?)' : ''} ORDER BY created_at DESC, fid DESC LIMIT ?`,
        )
        .all(query.endedBefore, query.endedBefore * 1000, ...(at ?? []), limit + 1)
      return pageOf(
        rows.map(({ id, home, status: _status, ...run }) => ({
          ...run,
          bytes: (home === null ? 0 : files.size({ fid: run.fid, home })) + Number(waitingSize.get(id)) + Number(large.get(run.fid)),
        })),
        limit,
        (run) => encodeCursor('ended', [run.createdAt, run.fid]),
      )
    }),
    copyRuns: createCopier(db).page,
    copySessions: sessionCopies(db),
    sideRows: (table) => sideRows(db, table),
    totals: () => ({ runs: Number(count.get()), events: Number(events.get()) }),
    projection: () => must(projection.get(), 'the row of the projection'),
    storedRecords: db.transaction((fid: string, after: Position, limit: number) => {
      const raw = isFid(fid) ? find.get(fid) : undefined
      return raw ? stored.after({ ...readRun(raw), fid }, after, limit) : { records: [], complete: true }
    }),
  }
}
