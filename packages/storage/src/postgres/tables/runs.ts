import { sql, type Kysely } from 'kysely'
import { key } from './key.ts'

/** The runs and what people want of them. */
export async function createRunTables(db: Kysely<unknown>): Promise<void> {
  await createRuns(db)
  await createRunIndexes(db)
  await db.schema
    .createTable('run_controls')
    .addColumn('fid', key, (column) => column.primaryKey())
    .addColumn('wanted', key, (column) => column.notNull())
    .addColumn('asked_by', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('asked_at', 'double precision', (column) => column.notNull())
    .execute()
}

async function createRuns(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('runs')
    .addColumn('fid', key, (column) => column.primaryKey())
    .addColumn('flow', key, (column) => column.notNull())
    .addColumn('version', 'text')
    .addColumn('username', key, (column) => column.notNull())
    .addColumn('summary', 'text', (column) => column.notNull())
    .addColumn('tags', 'jsonb', (column) => column.notNull())
    .addColumn('parent', 'text')
    .addColumn('inputs', 'text', (column) => column.notNull())
    .addColumn('status', key, (column) => column.notNull())
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('started_at', 'double precision')
    .addColumn('finished_at', 'double precision')
    .addColumn('wake_at', 'double precision')
    .addColumn('attempt', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('events', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('last_epoch', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('last_seq', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('waiting', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('open_locks', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('has_locks', 'boolean', (column) => column.notNull().defaultTo(false))
    .addColumn('final', 'text', (column) => column.notNull().defaultTo('null'))
    .addColumn('error', 'text')
    .addColumn('usage', 'text')
    .addColumn('progress', 'text')
    .addColumn('launcher', key, (column) => column.notNull())
    .addColumn('archived', 'boolean', (column) => column.notNull().defaultTo(false))
    .addColumn('idempotency_key', key)
    .addColumn('epoch_top', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('search', key, (column) => column.notNull())
    // Room in each page for the row's next version, so that counting events touches no index.
    .modifyEnd(sql`with (fillfactor = 70)`)
    .execute()
}

async function createRunIndexes(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('ix_runs_created').on('runs').columns(['created_at', 'fid']).execute()
  await db.schema.createIndex('ix_runs_username').on('runs').columns(['username', 'created_at', 'fid']).execute()
  await db.schema.createIndex('ix_runs_flow').on('runs').columns(['flow', 'created_at', 'fid']).execute()
  await sql`create index ix_runs_live on runs (launcher, fid) where status in ('starting', 'running', 'awaiting', 'paused')`.execute(db)
  await sql`create unique index ix_runs_idempotency on runs (username, idempotency_key) where idempotency_key is not null`.execute(db)
}

/** Finds the runs that a run has started. */
export async function createChildIndex(db: Kysely<unknown>): Promise<void> {
  await sql`create index ix_runs_parent on runs (parent, fid) where parent is not null`.execute(db)
}

/** By which version of the projector the runs were folded; and what tells a writer that a run was written anew by other hands. */
export async function createProjection(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('projection')
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('cursor', 'text')
    .execute()
  await sql`insert into projection (version, cursor) values (1, null)`.execute(db)
  await db.schema
    .alterTable('runs')
    .addColumn('rewritten', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
}

/** How many processes of a run died one after the other, while it rests because of that. */
export async function addDeaths(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('runs')
    .addColumn('deaths', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
}

/** The row that `check` writes. */
export async function createHealthTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('store_health')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('at', 'double precision', (column) => column.notNull())
    .execute()
}
