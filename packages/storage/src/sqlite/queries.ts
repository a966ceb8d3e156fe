import type { RunState, TypedValue } from '@koco/core'
import { must, parseJson } from '@koco/core'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import { inputsInShort, SHORT_FROM_CHARS } from '../inputs-in-short.ts'
import { currentFlows, type ServedFlow } from '../current-flows.ts'
import type { ControlRequest, ListedRun, RunQuery, RunStore, RunSummary } from '../port/runs.ts'
import type { DeadEvent } from '../port/dead-events.ts'
import type { FlowEntry, ListedFlow } from '../port/flows.ts'
import type { LockAnswer, LockStore } from '../port/locks.ts'
import type { Page } from '../port/page.ts'
import { searchWords } from '../search.ts'
import { CHILD_OF, childQueries } from './child-queries.ts'
import { checkpointTaskQueries } from './checkpoint-tasks.ts'
import { checkpointQueries } from './checkpoints.ts'
import { Conditions } from './conditions.ts'
import type { Db } from './connection.ts'
import { budgetQueries } from './budgets.ts'
import { contentQueries } from './contents.ts'
import { insightQueries } from './insights.ts'
import { scheduleQueries } from './schedules.ts'
import { type RawAnswer, type RawRun, readAnswer, readLock, readRun, SELECT_RUN } from './run-rows.ts'
import { sessionQueries } from './session-queries.ts'
import { webhookQueries } from './webhooks.ts'

type LockQuery = Parameters<LockStore['list']>[0]
type ListedLock = Awaited<ReturnType<LockStore['list']>>['items'][number]
type RawLock = {
  readonly run: number
  readonly lid: string
  readonly asked_at: number
  readonly lock: string
  readonly flow: string
  readonly user: string
  readonly summary: string
}

/** The reads of runs, locks, dead events and flows, all on the reading connection. */
export function createQueries(db: Db) {
  return {
    ...runQueries(db),
    ...childQueries(db),
    ...scheduleQueries(db),
    ...insightQueries(db),
    ...lockQueries(db),
    ...deadQueries(db),
    ...flowQueries(db),
    ...sessionQueries(db),
    ...budgetQueries(db),
    ...checkpointQueries(db),
    ...checkpointTaskQueries(db),
    ...contentQueries(db),
    ...webhookQueries(db),
  }
}

function runQueries(db: Db) {
  const find = db.prepare<[string], RawRun>(`${SELECT_RUN} WHERE fid = ?`)
  const bodies = db.prepare<[number], { inputs: string; final: string | null }>('SELECT inputs, final FROM run_bodies WHERE run = ?')
  const unfinished = db.prepare<[string, string, number], RawRun>(
    `${SELECT_RUN} WHERE launcher = ? AND status IN ('starting', 'running', 'awaiting', 'paused') AND fid > ? ORDER BY fid LIMIT ?`,
  )
  const wanted = db.prepare<[string], ControlRequest>('SELECT wanted, by, reason, at FROM run_controls WHERE run = (SELECT id FROM runs WHERE fid = ?)')
  // One snapshot: the end of a run and its result come together.
  const findWhole = db.transaction((fid: string) => {
    const raw = find.get(fid)
    return raw && { raw, bodies: must(bodies.get(raw.id), `bodies of run ${fid}`) }
  })
  return {
    getRun(fid: string): Awaited<ReturnType<RunStore['get']>> {
      const found = findWhole(fid)
      if (!found) return undefined
      const { state, launcher, archived } = readRun(found.raw)
      const { inputs, final } = found.bodies
      return { ...state, inputs: parseJson(inputs), final: final === null ? null : (parseJson(final) as TypedValue), launcher, archived }
    },
    listRuns: (query: RunQuery): Page<ListedRun> => listRuns(db, query),
    unfinishedRuns: (launcher: string, after: string | null, limit: number): RunSummary[] =>
      unfinished.all(launcher, after ?? '', clampLimit(limit)).map(summaryOf),
    wantedOf: (fid: string): ControlRequest | undefined => wanted.get(fid),
  }
}

function listRuns(db: Db, query: RunQuery): Page<ListedRun> {
  const limit = clampLimit(query.limit)
  const where = new Conditions()
  where.add('archived = ?', query.archived === true ? 1 : 0)
  if (query.status) where.add(`status IN (${query.status.map(() => '?').join(', ')})`, ...query.status)
  if (query.flow !== undefined) where.add('flow = ?', query.flow)
  if (query.user !== undefined) where.add('user = ?', query.user)
  if (query.tag !== undefined) where.add('instr(tags, char(10) || ? || char(10)) > 0', query.tag)
  if (query.parent !== undefined) where.add(CHILD_OF, query.parent)
  if (query.createdFrom !== undefined) where.add('created_at >= ?', query.createdFrom)
  if (query.createdTo !== undefined) where.add('created_at < ?', query.createdTo)
  for (const word of searchWords(query.q ?? '')) where.add('(instr(search, ?) > 0 OR instr(status, ?) > 0)', word, word)
  if (query.cursor !== undefined) where.add('(created_at, fid) < (?, ?)', ...decodeCursor('runs', query.cursor, ['number', 'string']))
  const listed = `${SELECT_RUN} ${where.sql} ORDER BY created_at DESC, fid DESC LIMIT ?`
  const rows = db
    .prepare<unknown[], RawRun & { readonly start: string }>(
      `SELECT *, (SELECT substr(inputs, 1, ${SHORT_FROM_CHARS}) FROM run_bodies WHERE run = id) AS start FROM (${listed})`,
    )
    .all(...where.values, limit + 1)
  return pageOf(
    rows.map((row) => ({ ...summaryOf(row), about: inputsInShort(row.start) })),
    limit,
    (run) => encodeCursor('runs', [run.createdAt, run.fid]),
  )
}

function lockQueries(db: Db) {
  const find = db.prepare<[string, string], string>('SELECT state FROM locks WHERE run = (SELECT id FROM runs WHERE fid = ?) AND lid = ?').pluck()
  const answers = db.prepare<[string], RawAnswer>(
    'SELECT lid, answer, by, at, reason FROM lock_answers WHERE run = (SELECT id FROM runs WHERE fid = ?) ORDER BY at, lid',
  )
  return {
    getLock(fid: string, lid: string) {
      const text = find.get(fid, lid)
      return text === undefined ? undefined : readLock(text)
    },
    listLocks: (query: LockQuery): Page<ListedLock> => listLocks(db, query),
    answersOf: (fid: string): LockAnswer[] => answers.all(fid).map(readAnswer),
  }
}

function listLocks(db: Db, query: LockQuery): Page<ListedLock> {
  const limit = clampLimit(query.limit)
  const where = new Conditions()
  if (query.fid !== undefined) where.add('runs.fid = ?', query.fid)
  if (query.user !== undefined) where.add('runs.user = ?', query.user)
  if (query.concerns !== undefined) {
    const named = (list: string): string => `EXISTS (SELECT 1 FROM json_each(locks.state, '$.${list}') WHERE value = ?)`
    where.add(`(runs.user = ? OR ${named('assignees')} OR ${named('roles')})`, query.concerns.user, query.concerns.user, query.concerns.role)
  }
  if (query.status !== undefined) where.add('locks.status = ?', query.status)
  if (query.cursor !== undefined) where.add('(asked_at, runs.fid, lid) < (?, ?, ?)', ...decodeCursor('locks', query.cursor, ['number', 'string', 'string']))
  const text = `SELECT locks.lid, asked_at, locks.state AS lock, flow, user, about ->> 'summary' AS summary FROM locks JOIN runs ON runs.id = run ${where.sql}
    ORDER BY asked_at DESC, runs.fid DESC, lid DESC LIMIT ?`
  const rows = db.prepare<unknown[], RawLock>(text).all(...where.values, limit + 1)
  const locks = rows.map(({ lock, flow, user, summary }) => ({ ...readLock(lock), flow, user, summary }))
  return pageOf(locks, limit, ({ askedAt, fid, lid }) => encodeCursor('locks', [askedAt, fid, lid]))
}

function deadQueries(db: Db) {
  const get = db.prepare<[number], DeadEvent>('SELECT id, fid, position, reason, body, at FROM dead_events WHERE id = ?')
  return {
    getDead: (id: number): DeadEvent | undefined => get.get(id),
    listDead(query: { readonly fid?: string; readonly cursor?: string; readonly limit: number }): Page<DeadEvent> {
      const limit = clampLimit(query.limit)
      const where = new Conditions()
      if (query.fid !== undefined) where.add('fid = ?', query.fid)
      if (query.cursor !== undefined) where.add('id < ?', ...decodeCursor('dead', query.cursor, ['number']))
      const text = `SELECT id, fid, position, reason, body, at FROM dead_events ${where.sql} ORDER BY id DESC LIMIT ?`
      const rows = db.prepare<unknown[], DeadEvent>(text).all(...where.values, limit + 1)
      return pageOf(rows, limit, ({ id }) => encodeCursor('dead', [id]))
    },
  }
}

function flowQueries(db: Db) {
  const flows = db.prepare<[], { entry: string; since: number }>('SELECT entry, since FROM flow_versions')
  const workers = db.prepare<[], Omit<ServedFlow, 'version'> & { version: string }>(
    'SELECT name, version, id, launcher, host, pid, seen_at AS seenAt FROM flow_workers_entries JOIN flow_workers ON id = worker',
  )
  return {
    listFlows(): ListedFlow[] {
      const versions = flows.all().map(({ entry, since }) => ({ entry: parseJson(entry) as unknown as FlowEntry, since }))
      return currentFlows(
        versions,
        workers.all().map((served) => ({ ...served, version: parseJson(served.version) as string | null })),
      )
    },
  }
}

function summaryOf(raw: RawRun): RunSummary {
  const { inputs: _inputs, final: _final, ...summary }: RunState = readRun(raw).state
  return summary
}
