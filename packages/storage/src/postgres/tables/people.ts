import { sql, type Kysely } from 'kysely'
import { key } from './key.ts'

/** Questions to people, and entries set aside for them. */
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

/** Who may answer a question later on while nobody does; and tells the addresses that want to know when they may. Null: what was asked before there was this. */
export async function addEscalations(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('locks').addColumn('escalations', 'jsonb').addColumn('escalated', 'integer').execute()
  await sql`create function koco_note_escalation() returns trigger language plpgsql as $$ begin
    perform koco_note('question.escalated', 'question.escalated ' || new.fid || ' ' || new.lid || ' ' || new.escalated, new.fid, new.lid, flow, username, new.name,
      extract(epoch from clock_timestamp())::float8) from runs where fid = new.fid;
    return null; end $$`.execute(db)
  await sql`create trigger locks_escalated after update of escalated on locks for each row
    when (new.status = 'open' and coalesce(new.escalated, 0) > coalesce(old.escalated, 0)) execute function koco_note_escalation()`.execute(db)
}
