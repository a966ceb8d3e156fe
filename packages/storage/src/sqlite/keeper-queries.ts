import type { EventRecord, Position, RunStatus, TypedValue } from '@koco/core'
import { isFid, parseJson } from '@koco/core'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { EndedRun, RunCopy, SessionCopy, StoreKeeper } from '../keeping.ts'
import type { ControlRequest, Page } from '../port.ts'
import type { SideRow, SideTable } from '../side-tables.ts'
import type { Db } from './connection.ts'
import { sessionCopies } from './copy-sessions.ts'
import { ENDED_FOR_GOOD } from './keeper-changes.ts'
import type { RunFiles } from './run-files.ts'
import { type RawAnswer, type RawRun, readAnswer, readLock, readRun, SELECT_RUN } from './run-rows.ts'
import { sideRows } from './side-tables.ts'
import { StoredRecords } from './stored-records.ts'

type EndedQuery = Parameters<StoreKeeper['ended']>[0]
type RawEnded = Omit<EndedRun, 'bytes'> & { readonly id: number; readonly home: string | null; readonly status: RunStatus }
type RawCopy = RawRun & { readonly idempotency_key: string | null; readonly inputs: string; readonly final: string | null }

type KeeperQueries = {
  endedRuns(query: EndedQuery): Page<EndedRun>
  copyRuns(after: string | null, limit: number): RunCopy[]
  copySessions(after: string | null, limit: number): SessionCopy[]
  sideRows(table: SideTable): SideRow[]
  storedRecords(fid: string, after: Position, limit: number): { readonly records: readonly EventRecord[]; readonly complete: boolean }
}

/** The reads of whoever keeps house, on the reading connection. */
export function keeperQueries(db: Db, files: RunFiles): KeeperQueries {
  const stored = new StoredRecords(db, files)
  const find = db.prepare<[string], RawRun>(`${SELECT_RUN} WHERE fid = ?`)
  const waitingSize = db.prepare<[number], number>('SELECT coalesce(sum(size), 0) FROM chunks WHERE run = ?').pluck()
  return {
    endedRuns(query) {
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
          bytes: (home === null ? 0 : files.size({ fid: run.fid, home })) + Number(waitingSize.get(id)),
        })),
        limit,
        (run) => encodeCursor('ended', [run.createdAt, run.fid]),
      )
    },
    copyRuns: createCopier(db),
    copySessions: sessionCopies(db),
    sideRows: (table) => sideRows(db, table),
    storedRecords: db.transaction((fid: string, after: Position, limit: number) => {
      const raw = isFid(fid) ? find.get(fid) : undefined
      return raw ? stored.after({ ...readRun(raw), fid }, after, limit) : { records: [], complete: true }
    }),
  }
}

/** Each call reads in one transaction, so that a copy is what the run was at one moment. */
function createCopier(db: Db): (after: string | null, limit: number) => RunCopy[] {
  const runs = db.prepare<[string, number], RawCopy>(
    `SELECT head.*, idempotency_key, inputs, final FROM (${SELECT_RUN}) AS head JOIN runs USING (id) JOIN run_bodies ON run_bodies.run = head.id WHERE head.fid > ? ORDER BY head.fid LIMIT ?`,
  )
  const seals = db.prepare<[number], RunCopy['seals'][number]>('SELECT epoch, last_seq AS lastSeq FROM run_epochs WHERE run = ? ORDER BY epoch')
  const holes = db.prepare<[number], { fe: number; fs: number; te: number; ts: number }>(
    'SELECT from_epoch AS fe, from_seq AS fs, to_epoch AS te, to_seq AS ts FROM run_holes WHERE run = ? ORDER BY from_epoch, from_seq',
  )
  const locks = db.prepare<[number], string>('SELECT state FROM locks WHERE run = ? ORDER BY lid').pluck()
  const answers = db.prepare<[number], RawAnswer>('SELECT lid, answer, by, at, reason FROM lock_answers WHERE run = ? ORDER BY lid')
  const control = db.prepare<[number], ControlRequest>('SELECT wanted, by, reason, at FROM run_controls WHERE run = ?')
  return db.transaction((after: string | null, limit: number): RunCopy[] =>
    runs.all(after ?? '', clampLimit(limit)).map((raw) => {
      const { id, state, launcher, archived, topEpoch, waiting } = readRun(raw)
      return {
        state: { ...state, inputs: parseJson(raw.inputs), final: raw.final === null ? null : (parseJson(raw.final) as TypedValue) },
        launcher,
        idempotencyKey: raw.idempotency_key,
        archived,
        topEpoch,
        waiting,
        seals: seals.all(id),
        holes: holes.all(id).map(({ fe, fs, te, ts }) => ({ from: { epoch: fe, seq: fs }, to: { epoch: te, seq: ts } })),
        locks: locks.all(id).map((text) => readLock(text)),
        answers: answers.all(id).map(readAnswer),
        control: control.get(id) ?? null,
      }
    }),
  )
}
