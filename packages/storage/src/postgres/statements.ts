import type { Client, Pool } from 'pg'
import { SUMMARY_COLUMNS } from './run-row.ts'

/** A statement and the name under which a connection prepares it. */
export type Statement = { readonly name: string; readonly text: string }

const statement = (name: string, text: string): Statement => ({ name, text })

// The statements of the hot paths, prepared once a connection under their names. Each takes a batch of any size: its rows come as one array a column, or as one JSON text.

const TOLD = ['flow', 'version', 'username', 'summary', 'tags', 'parent', 'inputs', 'search']

/** A new run's row. One that only events have made so far (it has no launcher) is taken over; what its events said of it stays. */
export const CREATE_RUN = statement(
  'create_run',
  `insert into runs (fid, status, created_at, launcher, idempotency_key, ${TOLD.join(', ')})
  values ($1, 'starting', $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, $11, $12)
  on conflict (fid) do update set created_at = excluded.created_at, launcher = excluded.launcher, idempotency_key = excluded.idempotency_key,
  ${TOLD.map((name) => `${name} = case when runs.flow = '' then excluded.${name} else runs.${name} end`).join(', ')} where runs.launcher = '' returning fid`,
)

/** A run with its bodies. */
export const GET_RUN = statement('get_run', `select ${SUMMARY_COLUMNS.join(', ')}, inputs, final, launcher, archived from runs where fid = $1`)

/** Serialises the writers of a run. The keys come sorted and are locked in that order, so that two batches wait for each other instead of blocking each other. */
export const LOCK_RUNS = statement(
  'lock_runs',
  `select r.* from unnest($1::text[]) as x (fid), lateral (select fid, flow, last_epoch, last_seq, waiting, has_locks, launcher, rewritten from runs where fid = x.fid for update) r`,
)

/** What folding needs of runs: everything but inputs and final. */
export const LOAD_RUNS = statement('load_runs', `select ${SUMMARY_COLUMNS.join(', ')} from runs where fid = any($1::text[])`)

/** The inputs, as stored, for a search text that is made anew. */
export const LOAD_INPUTS = statement('load_inputs', `select fid, inputs from runs where fid = any($1::text[])`)

/** Rows for runs of which only events are known. */
export const ADD_UNKNOWN_RUNS = statement(
  'add_unknown_runs',
  `insert into runs (fid, flow, username, summary, tags, inputs, status, created_at, launcher, search)
  select fid, '', '', '', '[]', 'null', 'starting', created_at, '', '' from unnest($1::text[], $2::double precision[]) as x (fid, created_at) order by fid on conflict do nothing`,
)

/** What is written of an event; the rest comes by itself. */
export const EVENT_COLUMNS = 'fid, epoch, seq, username, timestamp, kind, step, message'

/** For rows that are known to be new: without the speculation that ON CONFLICT costs. */
export const INSERT_NEW = statement(
  'insert_new',
  `insert into execution_events (${EVENT_COLUMNS})
  select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::double precision[], $6::text[], $7::text[], $8::text[])`,
)

/** For rows that may be there already; gives those that were not. */
export const INSERT_MISSING = statement('insert_missing', `${INSERT_NEW.text} on conflict do nothing returning fid, epoch, seq`)

/** The events at given places. */
export const READ_AT = statement(
  'read_at',
  `select e.fid, e.epoch, e.seq, e.timestamp, e.kind, e.step, e.message
  from unnest($1::text[], $2::bigint[], $3::bigint[]) as x (fid, epoch, seq) join execution_events e using (fid, epoch, seq)`,
)

/** All events above a place in each run, in position order. */
export const READ_ABOVE = statement(
  'read_above',
  `select e.fid, e.epoch, e.seq, e.timestamp, e.kind, e.step, e.message
  from unnest($1::text[], $2::bigint[], $3::bigint[]) as x (fid, epoch, seq)
  join lateral (select * from execution_events e where e.fid = x.fid and (e.epoch, e.seq) > (x.epoch, x.seq)) e on true order by e.fid, e.epoch, e.seq`,
)

/** For runs of which only the count and the position moved. */
export const ADVANCE_RUNS = statement(
  'advance_runs',
  `update runs r set events = x.events, last_epoch = x.last_epoch, last_seq = x.last_seq, waiting = x.waiting
  from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as x (fid, events, last_epoch, last_seq, waiting) where r.fid = x.fid`,
)

/** For runs of which more changed; null leaves inputs, final and search as they are. */
export const UPDATE_RUNS = statement(
  'update_runs',
  `update runs r set flow = x.flow, version = x.version, username = x.username, summary = x.summary, tags = x.tags, parent = x.parent, status = x.status,
  started_at = x.started_at, finished_at = x.finished_at, wake_at = x.wake_at, deaths = x.deaths, attempt = x.attempt, events = x.events, last_epoch = x.last_epoch, last_seq = x.last_seq,
  waiting = x.waiting, open_locks = x.open_locks, error = x.error, usage = x.usage, progress = x.progress,
  inputs = coalesce(x.inputs, r.inputs), final = coalesce(x.final, r.final), search = coalesce(x.search, r.search)
  from json_to_recordset($1::json) as x (fid text, flow text, version text, username text, summary text, tags jsonb, parent text, status text, started_at double precision,
    finished_at double precision, wake_at double precision, deaths integer, attempt integer, events bigint, last_epoch bigint, last_seq bigint, waiting integer, open_locks integer,
    error text, usage text, progress text, inputs text, final text, search text) where r.fid = x.fid`,
)

/** All locks of runs. */
export const LOAD_LOCKS = statement('load_locks', `select * from locks where fid = any($1::text[])`)

/** Stores changed locks and marks their runs as having some, so that the others' need not be looked for. */
export const UPSERT_LOCKS = statement(
  'upsert_locks',
  `with given as (select * from json_populate_recordset(null::locks, $1::json)),
  marked as (update runs set has_locks = true where not has_locks and fid in (select fid from given))
  insert into locks select * from given on conflict (fid, lid) do update set status = excluded.status, answer = excluded.answer, answered_by = excluded.answered_by, answered_at = excluded.answered_at, reason = excluded.reason,
    assignees = excluded.assignees, roles = excluded.roles, escalated = excluded.escalated`,
)

/** Seals: what lies above them in their epochs is fenced. */
export const CLOSE_EPOCHS = statement(
  'close_epochs',
  `insert into run_epochs (fid, epoch, last_seq) select * from unnest($1::text[], $2::bigint[], $3::bigint[]) on conflict do nothing`,
)

/** Declared losses: what turns up in them later is fenced. */
export const ADD_HOLES = statement(
  'add_holes',
  `insert into run_holes (fid, from_epoch, from_seq, to_epoch, to_seq)
  select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) on conflict do nothing`,
)

/** What events name in the content store. */
export const ADD_CONTENTS = statement(
  'add_contents',
  `insert into run_contents select * from json_populate_recordset(null::run_contents, $1::json) on conflict do nothing`,
)

const DAY_KEYS = 'day integer, flow text, username text, shard smallint'

/** Adds runs to the tallies of their days. */
export const ADD_RUN_DAYS = statement(
  'add_run_days',
  `insert into run_days (day, flow, username, shard, outcome, bucket, runs)
  select * from json_to_recordset($1::json) as x (${DAY_KEYS}, outcome text, bucket integer, runs bigint)
  on conflict (day, flow, username, outcome, bucket, shard) do update set runs = run_days.runs + excluded.runs`,
)

const MODEL_COUNTS = ['calls', 'priced', 'input_uncached', 'cache_read', 'cache_write', 'output', 'reasoning'] as const
const MODEL_SUMS = [...MODEL_COUNTS, 'cost', 'duration_s'] as const

/** Adds model calls to the tallies of their days. */
export const ADD_MODEL_DAYS = statement(
  'add_model_days',
  `insert into model_days (day, flow, username, shard, provider, model, ${MODEL_SUMS.join(', ')})
  select * from json_to_recordset($1::json) as x (${DAY_KEYS}, provider text, model text, ${MODEL_COUNTS.map((name) => `${name} bigint`).join(', ')},
    cost double precision, duration_s double precision)
  on conflict (day, flow, username, provider, model, shard) do update set ${MODEL_SUMS.map((name) => `${name} = model_days.${name} + excluded.${name}`).join(', ')}`,
)

/** Runs a statement, prepared once a connection. */
export async function run<Row extends object>(client: Client | Pool, { name, text }: Statement, values: readonly unknown[]): Promise<Row[]> {
  const result = await client.query<Row>({ name: `koco_${name}`, text, values: [...values] })
  return result.rows
}
