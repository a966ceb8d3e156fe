import type { EventRecord, RunStatus } from '@koco/core'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { clampLimit, decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import type { EndedRun, RunCopy, StoreKeeper } from '../keeping.ts'
import { putSessions, sessionCopies } from './copy-sessions.ts'
import { insertMissing, toRecord, type StoredEvent } from './event-rows.ts'
import { toAnswer, toLock } from './lock-row.ts'
import { putRuns } from './put-runs.ts'
import { toState, type SummaryRow } from './run-row.ts'
import type { ExecutionDatabase } from './schema.ts'
import { putSideRows, sideRows } from './side-tables.ts'
import { run, type Statement } from './statements.ts'
import { withClient } from './transaction.ts'

type FullRow = SummaryRow & {
  readonly inputs: string
  readonly final: string
  readonly launcher: string
  readonly idempotency_key: string | null
  readonly archived: boolean
  readonly epoch_top: number
  readonly waiting: number
}

const OVER: readonly RunStatus[] = ['finished', 'error', 'cancelled', 'timed_out']
/** Where what belongs to a run lies, the run itself last. */
const TABLES = ['execution_events', 'run_epochs', 'run_holes', 'run_controls', 'locks', 'lock_answers', 'dead_events', 'runs'] as const

/** Over since before `$1` (seconds), no later try given out since, no parent that still lives. */
const ENDED_FOR_GOOD = `r.status in (${OVER.map((status) => `'${status}'`).join(', ')}) and coalesce(r.finished_at, r.created_at) < $1 and greatest(r.epoch_top, r.last_epoch) < $1 * 1000
  and not exists (select from runs p where p.fid = r.parent and p.status not in (${OVER.map((status) => `'${status}'`).join(', ')}))`

// What an event takes, table and indexes, is the same for all: measuring each run's events would read them all.
const ENDED: Statement = {
  name: 'keeper_ended',
  text: `with weight as (select pg_total_relation_size('execution_events')::float8 / greatest((select sum(events) from runs), 1) as bytes)
    select fid, flow, username as "user", created_at as "createdAt", coalesce(finished_at, created_at) as "endedAt", events, (events * weight.bytes)::bigint as bytes
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
    copies: (after, limit) => copies(db, after, clampLimit(limit)),
    async records(fid, after, limit) {
      const rows = await run<StoredEvent>(pool, RECORDS, [fid, after.epoch, after.seq, limit])
      return { records: rows.map(toRecord), complete: rows.length < limit }
    },
    addRecords: (copy, records) => addRecords(pool, copy, records),
    put: (runs) => putRuns(pool, runs),
    sessionCopies: (after, limit) => sessionCopies(db, after, clampLimit(limit)),
    putSessions: (sessions) => putSessions(db, sessions),
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

async function addRecords(pool: Pool, { state: { fid, user } }: RunCopy, records: readonly EventRecord[]): Promise<void> {
  if (records.length === 0) return
  await withClient(pool, async (client) => {
    await client.query('begin')
    await insertMissing(
      client,
      records.map((record) => ({ fid, user, record })),
    )
    await client.query('commit')
  })
}

/** In one transaction that sees one moment, so that the parts of a run fit together. */
async function copies(db: ExecutionDatabase, after: string | null, limit: number): Promise<RunCopy[]> {
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (moment) => {
      const rows: readonly FullRow[] = await moment
        .selectFrom('runs')
        .selectAll()
        .where('fid', '>', after ?? '')
        .orderBy('fid')
        .limit(limit)
        .execute()
      if (rows.length === 0) return []
      const parts = await readParts(
        moment,
        rows.map(({ fid }) => fid),
      )
      return rows.map((row) => toCopy(row, parts))
    })
}

type Parts = Awaited<ReturnType<typeof readParts>>

async function readParts(moment: ExecutionDatabase, fids: readonly string[]) {
  const seals = await moment.selectFrom('run_epochs').selectAll().where('fid', 'in', fids).orderBy('epoch').execute()
  const holes = await moment.selectFrom('run_holes').selectAll().where('fid', 'in', fids).orderBy('from_epoch').orderBy('from_seq').execute()
  const locks = await moment.selectFrom('locks').selectAll().where('fid', 'in', fids).orderBy('lid').execute()
  const answers = await moment.selectFrom('lock_answers').selectAll().where('fid', 'in', fids).orderBy('lid').execute()
  const controls = await moment.selectFrom('run_controls').selectAll().where('fid', 'in', fids).execute()
  const by = <T extends { readonly fid: string }>(found: readonly T[]) => Map.groupBy(found, ({ fid }) => fid)
  return { seals: by(seals), holes: by(holes), locks: by(locks), answers: by(answers), controls: by(controls) }
}

function toCopy(row: FullRow, parts: Parts): RunCopy {
  const { fid } = row
  const [control] = parts.controls.get(fid) ?? []
  return {
    state: toState(row),
    launcher: row.launcher,
    idempotencyKey: row.idempotency_key,
    archived: row.archived,
    topEpoch: Math.max(row.epoch_top, row.last_epoch),
    waiting: row.waiting > 0,
    seals: (parts.seals.get(fid) ?? []).map(({ epoch, last_seq: lastSeq }) => ({ epoch, lastSeq })),
    holes: (parts.holes.get(fid) ?? []).map((hole) => ({
      from: { epoch: hole.from_epoch, seq: hole.from_seq },
      to: { epoch: hole.to_epoch, seq: hole.to_seq },
    })),
    locks: (parts.locks.get(fid) ?? []).map(toLock),
    answers: (parts.answers.get(fid) ?? []).map(toAnswer),
    control: control ? { wanted: control.wanted, by: control.asked_by, reason: control.reason, at: control.asked_at } : null,
  }
}
