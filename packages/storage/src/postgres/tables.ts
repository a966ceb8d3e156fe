import { sql, type Kysely } from 'kysely'

// Byte order: faster than a language's, and the same in every database and in SQLite.
const key = sql`text collate "C"`

/** The events, and which of them belong to the timeline. */
export async function createEventTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('execution_events')
    .addColumn('id', 'bigint', (column) => column.generatedAlwaysAsIdentity())
    .addColumn('fid', key, (column) => column.notNull())
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('username', key, (column) => column.notNull())
    .addColumn('timestamp', 'double precision', (column) => column.notNull())
    .addColumn('kind', key, (column) => column.notNull())
    .addColumn('step', key)
    .addColumn('message', key, (column) => column.notNull())
    .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .addPrimaryKeyConstraint('execution_events_pkey', ['fid', 'epoch', 'seq'])
    .execute()
  await db.schema.createIndex('ix_execution_events_fid').on('execution_events').column('fid').execute()
  await db.schema.createIndex('ix_execution_events_username').on('execution_events').column('username').execute()
  await db.schema.createIndex('ix_execution_events_fid_kind').on('execution_events').columns(['fid', 'kind']).execute()
  await db.schema
    .createTable('run_epochs')
    .addColumn('fid', key, (column) => column.notNull())
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('last_seq', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('run_epochs_pkey', ['fid', 'epoch'])
    .execute()
  await db.schema
    .createTable('run_holes')
    .addColumn('fid', key, (column) => column.notNull())
    .addColumn('from_epoch', 'bigint', (column) => column.notNull())
    .addColumn('from_seq', 'bigint', (column) => column.notNull())
    .addColumn('to_epoch', 'bigint', (column) => column.notNull())
    .addColumn('to_seq', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('run_holes_pkey', ['fid', 'from_epoch', 'from_seq'])
    .execute()
}

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

/** What starts flows again and again. */
export async function createScheduleTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('schedules')
    .addColumn('id', key, (column) => column.primaryKey())
    .addColumn('username', key, (column) => column.notNull())
    .addColumn('launcher', key, (column) => column.notNull())
    .addColumn('about', 'text', (column) => column.notNull())
    .addColumn('paused', 'boolean', (column) => column.notNull())
    .addColumn('next_at', 'double precision')
    .addColumn('last_at', 'double precision')
    .addColumn('last_fid', 'text')
    .addColumn('problem', 'text')
    .execute()
  await sql`create index ix_schedules_due on schedules (launcher, next_at) where not paused and next_at is not null`.execute(db)
}

/** Conversations: their entries, and a row of each for lists. */
export async function createSessionTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('chat_sessions')
    .addColumn('id', key, (column) => column.primaryKey())
    .addColumn('username', key, (column) => column.notNull())
    .addColumn('search', 'text', (column) => column.notNull())
    .addColumn('pinned', 'boolean', (column) => column.notNull())
    .addColumn('archived', 'boolean', (column) => column.notNull())
    .addColumn('updated_at', 'double precision', (column) => column.notNull())
    .addColumn('turn', 'text')
    .addColumn('session', 'text', (column) => column.notNull())
    .addColumn('sum', 'bigint', (column) => column.notNull())
    .addColumn('draft', 'text')
    .execute()
  await sql`create index ix_sessions_listed on chat_sessions (username, pinned, updated_at, id)`.execute(db)
  await sql`create index ix_sessions_held on chat_sessions (id) where turn is not null`.execute(db)
  await db.schema
    .createTable('session_entries')
    .addColumn('session', key, (column) => column.notNull())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('at', 'double precision', (column) => column.notNull())
    .addColumn('head', 'text', (column) => column.notNull())
    .addColumn('head_sum', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text')
    .addColumn('body_sum', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('session_entries_pkey', ['session', 'revision'])
    .execute()
}

/** Who may answer a question, and why it was answered so. */
export async function addLockPeople(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('locks')
    .addColumn('reason', 'text')
    .addColumn('assignees', 'jsonb', (column) => column.notNull().defaultTo(sql`'[]'::jsonb`))
    .addColumn('roles', 'jsonb', (column) => column.notNull().defaultTo(sql`'[]'::jsonb`))
    .execute()
  await db.schema.alterTable('lock_answers').addColumn('reason', 'text').execute()
}

/** What runs and models came to by day. */
export async function createTallyTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('run_days')
    .addColumn('day', 'integer', (column) => column.notNull())
    .addColumn('flow', key, (column) => column.notNull())
    .addColumn('username', key, (column) => column.notNull())
    .addColumn('outcome', key, (column) => column.notNull())
    .addColumn('bucket', 'integer', (column) => column.notNull())
    .addColumn('shard', 'smallint', (column) => column.notNull())
    .addColumn('runs', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('run_days_pkey', ['day', 'flow', 'username', 'outcome', 'bucket', 'shard'])
    .execute()
  let models = db.schema
    .createTable('model_days')
    .addColumn('day', 'integer', (column) => column.notNull())
    .addColumn('flow', key, (column) => column.notNull())
    .addColumn('username', key, (column) => column.notNull())
    .addColumn('provider', key, (column) => column.notNull())
    .addColumn('model', key, (column) => column.notNull())
    .addColumn('shard', 'smallint', (column) => column.notNull())
    .addColumn('cost', 'double precision', (column) => column.notNull())
    .addColumn('duration_s', 'double precision', (column) => column.notNull())
  for (const name of ['calls', 'priced', 'input_uncached', 'cache_read', 'cache_write', 'output', 'reasoning'] as const)
    models = models.addColumn(name, 'bigint', (column) => column.notNull())
  await models.addPrimaryKeyConstraint('model_days_pkey', ['day', 'flow', 'username', 'provider', 'model', 'shard']).execute()
}

/** What may be spent; `about` is JSON text. */
export async function createBudgets(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('budgets')
    .addColumn('id', key, (column) => column.primaryKey())
    .addColumn('about', 'text', (column) => column.notNull())
    .execute()
}

/** The index of checkpoints; what they hold lies in the content store. */
export async function createCheckpointTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('checkpoints')
    .addColumn('id', key, (column) => column.primaryKey())
    .addColumn('session', key, (column) => column.notNull())
    .addColumn('username', key, (column) => column.notNull())
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('parent', key)
    .addColumn('merged', key)
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('added', 'bigint', (column) => column.notNull())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('locked', 'text')
    .addColumn('tokens', key, (column) => column.notNull())
    .addColumn('search', key, (column) => column.notNull())
    .addColumn('about', 'text', (column) => column.notNull())
    .execute()
  await sql`create index ix_checkpoints_created on checkpoints (created_at, id)`.execute(db)
  await sql`create index ix_checkpoints_session on checkpoints (session, created_at, id)`.execute(db)
  await sql`create index ix_checkpoints_user on checkpoints (username, created_at, id)`.execute(db)
  await sql`create index ix_checkpoints_parent on checkpoints (parent) where parent is not null`.execute(db)
  await sql`create index ix_checkpoints_merged on checkpoints (merged) where merged is not null`.execute(db)
}

/** Questions to people, entries set aside, the catalogue of flows, and the row that `check` writes. */
export async function createPeopleTables(db: Kysely<unknown>): Promise<void> {
  await createLocks(db)
  await db.schema
    .createTable('dead_events')
    .addColumn('id', 'bigint', (column) => column.generatedAlwaysAsIdentity().primaryKey())
    .addColumn('fid', key, (column) => column.notNull())
    .addColumn('position', key, (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('at', 'double precision', (column) => column.notNull())
    .addUniqueConstraint('dead_events_position', ['fid', 'position'])
    .execute()
  await db.schema
    .createTable('flow_entries')
    .addColumn('name', key, (column) => column.primaryKey())
    .addColumn('version', 'text')
    .addColumn('summary', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('tags', 'jsonb', (column) => column.notNull())
    .addColumn('author', 'text')
    .addColumn('inputs', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('flow_workers')
    .addColumn('id', key, (column) => column.primaryKey())
    .addColumn('launcher', key, (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('pid', 'integer', (column) => column.notNull())
    .addColumn('seen_at', 'double precision', (column) => column.notNull())
    .addColumn('flows', 'jsonb', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('store_health')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('at', 'double precision', (column) => column.notNull())
    .execute()
}

async function createLocks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('locks')
    .addColumn('fid', key, (column) => column.notNull())
    .addColumn('lid', key, (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('form', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('asked_at', 'double precision', (column) => column.notNull())
    .addColumn('expires_at', 'double precision')
    .addColumn('status', key, (column) => column.notNull())
    .addColumn('answer', 'text', (column) => column.notNull())
    .addColumn('answered_by', 'text')
    .addColumn('answered_at', 'double precision')
    .addPrimaryKeyConstraint('locks_pkey', ['fid', 'lid'])
    .execute()
  await db.schema.createIndex('ix_locks_status').on('locks').columns(['status', 'asked_at', 'fid', 'lid']).execute()
  await db.schema
    .createTable('lock_answers')
    .addColumn('fid', key, (column) => column.notNull())
    .addColumn('lid', key, (column) => column.notNull())
    .addColumn('answer', 'text', (column) => column.notNull())
    .addColumn('answered_by', 'text', (column) => column.notNull())
    .addColumn('answered_at', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('lock_answers_pkey', ['fid', 'lid'])
    .execute()
}

/** The versions of flows, in place of the newest entry alone; workers say within seconds again what they serve. The version is JSON text: a flow may have none. */
export async function createFlowVersions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('flow_versions')
    .addColumn('name', key, (column) => column.notNull())
    .addColumn('version', key, (column) => column.notNull())
    .addColumn('entry', 'text', (column) => column.notNull())
    .addColumn('since', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('flow_versions_pk', ['name', 'version'])
    .execute()
  await sql`insert into flow_versions select name, to_json(version)::text, json_build_object('name', name, 'version', version, 'summary', summary, 'description', description,
    'tags', tags, 'author', author, 'inputs', inputs::json)::text, 0 from flow_entries`.execute(db)
  await db.schema.dropTable('flow_entries').execute()
  await sql`delete from flow_workers`.execute(db)
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
