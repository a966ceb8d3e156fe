import type { EventRecord, RunState, RunStatus } from '@koco/core'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { namedContents } from '../named-contents.ts'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { EndedRun, Restored, StoreKeeper, StorePart } from '../port/keeper.ts'
import { storeContents } from './contents.ts'
import { copiesIn } from './copy-runs.ts'
import { putSessions, sessionCopiesIn } from './copy-sessions.ts'
import { createDeadEventTable } from './dead-events.ts'
import { insertMissing, toRecord, type StoredEvent } from './event-rows.ts'
import { readMoment, storedRuns } from './moment.ts'
import { putRunsIn } from './put-runs.ts'
import { refoldRuns, restoreRuns } from './refold.ts'
import { createScheduleTable } from './schedules.ts'
import { byTable } from '../side-tables.ts'
import type { ExecutionDatabase } from './schema.ts'
import { putSideRows, sideRows } from './side-tables.ts'
import { run, type Statement } from './statements.ts'
import { withClient } from './transaction.ts'

const OVER: readonly RunStatus[] = ['finished', 'error', 'cancelled', 'timed_out']
/** Where what belongs to a run lies, the run itself last. */
const TABLES = ['execution_events', 'run_epochs', 'run_holes', 'run_controls', 'locks', 'lock_answers', 'dead_events', 'run_contents', 'runs'] as const

/** Over since before `$1` (seconds), no later try given out since, no parent that still lives. */
const ENDED_FOR_GOOD = `r.status in (${OVER.map((status) => `'${status}'`).join(', ')}) and coalesce(r.finished_at, r.created_at) < $1 and greatest(r.epoch_top, r.last_epoch) < $1 * 1000
  and not exists (select from runs p where p.fid = r.parent and p.status not in (${OVER.map((status) => `'${status}'`).join(', ')}))`

// What an event takes, table and indexes, is the same for all: measuring each run's events would read them all.
const ENDED: Statement = {
  name: 'keeper_ended',
  text: `with weight as (select pg_total_relation_size('execution_events')::float8 / greatest((select sum(events) from runs), 1) as bytes)
    select fid, flow, username as "user", created_at as "createdAt", coalesce(finished_at, created_at) as "endedAt", events,
    (events * weight.bytes)::bigint + (select coalesce(sum(kept), 0) from (select max(stored) as kept from run_contents c where c.fid = r.fid group by hash) as large)::bigint as bytes
    from runs r, weight where ${ENDED_FOR_GOOD} and (r.created_at, r.fid) < ($2, $3) order by r.created_at desc, r.fid desc limit $4`,
}

const LOCK_ENDED: Statement = {
  name: 'keeper_lock_ended',
  text: `select r.fid from runs r where r.fid = any($2::text[]) and ${ENDED_FOR_GOOD} order by r.fid for update`,
}

const RECORDS: Statement = {
  name: 'keeper_records',
  text: `select fid, epoch, seq, timestamp, kind, step, message from execution_events where fid = $1 and (epoch, seq) > ($2::bigint, $3::bigint) order by epoch, seq limit $4`,
}

/** Housekeeping in a Postgres database. */
export function createPostgresKeeper(db: ExecutionDatabase, pool: Pool): StoreKeeper {
  return {
    async ended({ endedBefore, cursor, limit: asked }) {
      const limit = clampLimit(asked)
      const [createdAt, fid] = cursor === undefined ? [Number.MAX_SAFE_INTEGER, ''] : decodeCursor('ended', cursor, ['number', 'string'])
      const rows = await run<EndedRun>(pool, ENDED, [endedBefore, createdAt, fid, limit + 1])
      return pageOf(rows, limit, (last) => encodeCursor('ended', [last.createdAt, last.fid]))
    },
    remove: (fids, endedBefore) => remove(pool, fids, endedBefore),
    // Autovacuum makes the space of deleted rows free for new ones; nothing to do in steps.
    reclaim: () => Promise.resolve(false),
    async compact() {
      for (const table of TABLES) await sql`vacuum (full, analyze) ${sql.table(table)}`.execute(db)
    },
    copies: (after, limit) => inOneMoment(db, (moment) => copiesIn(moment, after, clampLimit(limit))),
    async records(fid, after, limit) {
      const rows = await run<StoredEvent>(pool, RECORDS, [fid, after.epoch, after.seq, limit])
      return { records: rows.map(toRecord), complete: rows.length < limit }
    },
    addRecords: (of, records) => addRecords(pool, of, records),
    put: (runs) => db.transaction().execute((tx) => putRunsIn(tx, runs)),
    sessionCopies: (after, limit) => inOneMoment(db, (moment) => sessionCopiesIn(moment, after, clampLimit(limit))),
    putSessions: (sessions) => putSessions(db, sessions),
    totals: () => totals(db),
    moment: (visit) => readMoment(db, visit),
    restore: (part) => restorePart(db, part),
    storedRuns: (after, limit) => storedRuns(db, after, limit),
    refold: (runs, how) => refoldRuns(db, runs, how),
    projection: () => db.selectFrom('projection').select(['version', 'cursor']).executeTakeFirstOrThrow(),
    async setProjection(projection) {
      await db.updateTable('projection').set(projection).execute()
    },
    sideRows: (table) => sideRows(db, table),
    putSideRows: (table, rows) => putSideRows(db, table, rows),
  }
}

async function remove(pool: Pool, fids: readonly string[], endedBefore: number): Promise<readonly string[]> {
  return await withClient(pool, async (client) => {
    await client.query('begin')
    const locked = await run<{ fid: string }>(client, LOCK_ENDED, [endedBefore, fids])
    const gone = locked.map(({ fid }) => fid)
    for (const table of TABLES) await client.query(`delete from ${table} where fid = any($1::text[])`, [gone])
    await client.query('commit')
    return gone
  })
}

async function addRecords(pool: Pool, { fid, user }: Pick<RunState, 'fid' | 'user'>, records: readonly EventRecord[]): Promise<void> {
  if (records.length === 0) return
  await withClient(pool, async (client) => {
    await client.query('begin')
    await insertMissing(
      client,
      records.map((record) => ({ fid, user, record })),
    )
    await storeContents(client, namedContents(fid, records))
    await client.query('commit')
  })
}

async function inOneMoment<T>(db: ExecutionDatabase, read: (moment: ExecutionDatabase) => Promise<T>): Promise<T> {
  return await db.transaction().setIsolationLevel('repeatable read').execute(read)
}

async function totals(db: ExecutionDatabase): Promise<{ readonly runs: number; readonly events: number }> {
  const row = await db
    .selectFrom('runs')
    .select(({ fn }) => [fn.countAll<number>().as('runs'), sql<string | null>`sum(events)`.as('events')])
    .executeTakeFirst()
  return { runs: row?.runs ?? 0, events: Number(row?.events ?? 0) }
}

async function restorePart(db: ExecutionDatabase, part: StorePart): Promise<Restored> {
  if (part.kind === 'runs') return await restoreRuns(db, part.lines)
  if (part.kind === 'sessions')
    await putSessions(
      db,
      part.lines.map(({ copy }) => copy),
    )
  if (part.kind === 'schedules') for (const { schedule } of part.lines) await createScheduleTable(db).create(schedule)
  if (part.kind === 'dead') for (const { event } of part.lines) await createDeadEventTable(db).add(event)
  if (part.kind === 'side') for (const [table, rows] of byTable(part.lines)) await putSideRows(db, table, rows)
  return { folded: [], gone: [] }
}
