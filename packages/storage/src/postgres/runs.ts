import type { NewRun, RunStatus } from '@koco/core'
import { isFid, RefusedError, RUN_STATUSES, isEnded, toJsonText, must } from '@koco/core'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { clampLimit } from '../cursor.ts'
import type { ControlRequest, RunStore } from '../port/runs.ts'
import { searchText } from '../search.ts'
import { isUserName } from '../user-name.ts'
import { isUniqueViolation } from './errors.ts'
import { listRuns } from './list-runs.ts'
import { SUMMARY_COLUMNS, toState, toSummary, type SummaryRow } from './run-row.ts'
import type { ExecutionDatabase } from './schema.ts'
import { CREATE_RUN, GET_RUN, run } from './statements.ts'

type FullRow = SummaryRow & { readonly inputs: string; readonly final: string; readonly launcher: string; readonly archived: boolean }
type CreateRun = NewRun & { readonly launcher: string; readonly idempotencyKey: string | null }

const LIVE: readonly RunStatus[] = RUN_STATUSES.filter((status) => !isEnded(status))

/** The runs. RefusedError `unknown_run`, `bad_fid`, `bad_user`, `bad_cursor`. */
export function createRunTable(db: ExecutionDatabase, pool: Pool): RunStore {
  return {
    create: (newRun) => create(db, pool, newRun),
    async get(fid) {
      const [row] = await run<FullRow>(pool, GET_RUN, [fid])
      return row && { ...toState(row), launcher: row.launcher, archived: row.archived }
    },
    list: (query) => listRuns(db, query),
    nextEpoch: (fid, nowMs) => nextEpoch(db, fid, Math.floor(nowMs)),
    async unfinished(launcher, after, limit) {
      const live = db
        .selectFrom('runs')
        .select(SUMMARY_COLUMNS)
        .where('launcher', '=', launcher)
        .where('status', 'in', LIVE)
        .where('fid', '>', after ?? '')
      const rows = await live.orderBy('fid').limit(clampLimit(limit)).execute()
      return rows.map(toSummary)
    },
    async children(parent, after, limit) {
      const of = db.selectFrom('runs').select(['fid', 'status', 'finished_at']).where('parent', '=', parent)
      const rows = await of
        .where('fid', '>', after ?? '')
        .orderBy('fid')
        .limit(clampLimit(limit))
        .execute()
      return rows.map(({ fid, status, finished_at: finishedAt }) => ({ fid, status, finishedAt }))
    },
    request: (fid, control) => request(db, fid, control),
    async wanted(fid) {
      const row = await db.selectFrom('run_controls').selectAll().where('fid', '=', fid).executeTakeFirst()
      return row && { wanted: row.wanted, by: row.asked_by, reason: row.reason, at: row.asked_at }
    },
    async archive(fid, archived) {
      const result = await db.updateTable('runs').set({ archived }).where('fid', '=', fid).executeTakeFirst()
      return result.numUpdatedRows > 0n
    },
    async counts(among) {
      const runs = db.selectFrom('runs').select(['status', ({ fn }) => fn.countAll<number>().as('count')])
      const rows = await (among ? runs.where('parent', '=', among.parent) : runs).groupBy('status').execute()
      return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
    },
  }
}

async function create(db: ExecutionDatabase, pool: Pool, newRun: CreateRun): Promise<{ fid: string; created: boolean }> {
  const { fid, user, idempotencyKey } = newRun
  if (!isFid(fid)) throw new RefusedError(`"${fid.slice(0, 80)}" is not a run id (24 lower-case hex digits).`, { code: 'bad_fid' })
  if (!isUserName(user)) {
    throw new RefusedError(`"${user}" cannot own runs: a user is a folder name, 1 to 63 of a-z, 0-9, dot, dash and underscore.`, { code: 'bad_user' })
  }
  const earlier = await findByKey(db, user, idempotencyKey)
  if (earlier !== undefined) return { fid: earlier, created: false }
  try {
    return { fid, created: await insert(pool, newRun) }
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    // Two calls with one key at once: the other one was first.
    return { fid: must(await findByKey(db, user, idempotencyKey), 'run of the idempotency key'), created: false }
  }
}

async function findByKey(db: ExecutionDatabase, user: string, key: string | null): Promise<string | undefined> {
  if (key === null) return undefined
  const row = await db.selectFrom('runs').select('fid').where('username', '=', user).where('idempotency_key', '=', key).executeTakeFirst()
  return row?.fid
}

async function insert(pool: Pool, newRun: CreateRun): Promise<boolean> {
  const { fid, flow, version, user, summary, tags, parent, inputs, createdAt, launcher, idempotencyKey } = newRun
  const told = [flow, version, user, summary, JSON.stringify(tags), parent, toJsonText(inputs), searchText(newRun)]
  const made = await run(pool, CREATE_RUN, [fid, createdAt, launcher, idempotencyKey, ...told])
  return made.length > 0
}

async function nextEpoch(db: ExecutionDatabase, fid: string, nowMs: number): Promise<number> {
  const stored = sql<number>`coalesce((select max(epoch) from execution_events e where e.fid = ${fid}), 0)`
  const row = await db
    .updateTable('runs')
    .set({ epoch_top: sql<number>`greatest(${nowMs}::bigint, epoch_top + 1, ${stored} + 1)` })
    .where('fid', '=', fid)
    .returning('epoch_top')
    .executeTakeFirst()
  if (!row) throw unknownRun(fid)
  return row.epoch_top
}

/** One statement, so that two requests at once cannot undo a cancel. */
async function request(db: ExecutionDatabase, fid: string, { wanted, by, reason, at }: ControlRequest): Promise<void> {
  const result = await sql<{ known: boolean }>`with run as (select status from runs where fid = ${fid}),
    asked as (insert into run_controls (fid, wanted, asked_by, reason, asked_at) select ${fid}, ${wanted}, ${by}, ${reason}, ${at}::double precision from run
      on conflict (fid) do update set wanted = excluded.wanted, asked_by = excluded.asked_by, reason = excluded.reason, asked_at = excluded.asked_at
      where run_controls.wanted <> 'cancel' or excluded.wanted = 'cancel' or (select status from run) <> all(${[...LIVE]}::text[]))
    select exists (select from run) as known`.execute(db)
  if (result.rows[0]?.known !== true) throw unknownRun(fid)
}

function unknownRun(fid: string): RefusedError {
  return new RefusedError(`There is no run ${fid.slice(0, 80)}.`, { code: 'unknown_run' })
}
