import { sql, type Kysely } from 'kysely'
import { key } from './key.ts'

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

/** Which events name content that lies in the content store: what is named stays there. */
export async function createRunContents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('run_contents')
    .addColumn('fid', key, (column) => column.notNull())
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('hash', key, (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('stored', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('run_contents_pkey', ['fid', 'epoch', 'seq'])
    .execute()
  await sql`create index ix_run_contents_hash on run_contents (hash)`.execute(db)
}
