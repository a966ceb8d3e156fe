import { sql, type Kysely } from 'kysely'
import { key } from './key.ts'

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

/** What is to be done for sessions beyond the call that wanted it; `about` is JSON text. */
export async function createCheckpointTasks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('checkpoint_tasks')
    .addColumn('kind', key, (column) => column.notNull())
    .addColumn('session', key, (column) => column.notNull())
    .addColumn('about', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('checkpoint_tasks_pkey', ['kind', 'session'])
    .execute()
}
