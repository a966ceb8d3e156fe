import { sql, type Kysely } from 'kysely'
import { IMPORTED } from '../../tally.ts'
import { key } from './key.ts'

/** Addresses to be told of events, and what is noted for them by triggers: in the transaction that stores what happened, whichever process stores it. */
export async function createWebhookTables(db: Kysely<unknown>): Promise<void> {
  await createTables(db)
  await createNoting(db)
  await onRuns(db)
  await onLocks(db)
  await onDeadEvents(db)
}

/** Since when an address is paused, and why. */
export async function addWebhookPauses(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('webhooks').addColumn('paused_at', 'double precision').addColumn('paused_because', key).execute()
  await sql`update webhooks set paused_at = extract(epoch from clock_timestamp()), paused_because = 'asked' where paused = 1`.execute(db)
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('webhooks')
    .addColumn('id', key, (column) => column.primaryKey())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('username', key, (column) => column.notNull())
    .addColumn('runs_of', key)
    .addColumn('flow', key)
    .addColumn('events', 'text', (column) => column.notNull())
    .addColumn('bodies', 'integer', (column) => column.notNull())
    .addColumn('paused', 'integer', (column) => column.notNull())
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('created_at', 'double precision', (column) => column.notNull())
    .addColumn('failing_since', 'double precision')
    .execute()
  await db.schema
    .createTable('webhook_deliveries')
    .addColumn('id', key, (column) => column.primaryKey())
    .addColumn('webhook', key, (column) => column.notNull())
    .addColumn('fact', key, (column) => column.notNull())
    .addColumn('type', key, (column) => column.notNull())
    .addColumn('fid', key)
    .addColumn('lid', key)
    .addColumn('flow', key)
    .addColumn('username', key)
    .addColumn('detail', 'text')
    .addColumn('at', 'double precision', (column) => column.notNull())
    .addColumn('state', key, (column) => column.notNull().defaultTo('waiting'))
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('next_at', 'double precision')
    .addColumn('last_at', 'double precision')
    .addColumn('last_status', 'integer')
    .addColumn('problem', 'text')
    .addUniqueConstraint('webhook_deliveries_fact', ['webhook', 'fact'])
    .execute()
  await sql`create index ix_webhook_deliveries_due on webhook_deliveries (webhook, next_at) where state = 'waiting'`.execute(db)
  await db.schema.createIndex('ix_webhook_deliveries_at').on('webhook_deliveries').columns(['webhook', 'at', 'id']).execute()
}

/** `koco_note` notes one fact for every address that wants to know. */
async function createNoting(db: Kysely<unknown>): Promise<void> {
  await sql`create function koco_note(its_type text, its_fact text, its_fid text, its_lid text, its_flow text, its_user text, its_detail text, its_at double precision)
    returns void language sql as $$
      insert into webhook_deliveries (id, webhook, fact, type, fid, lid, flow, username, detail, at, next_at)
      select 'msg_' || replace(gen_random_uuid()::text, '-', ''), id, its_fact, its_type, its_fid, its_lid, its_flow, its_user, its_detail, its_at, 0
      from webhooks where paused = 0 and strpos(events, chr(10) || its_type || chr(10)) > 0
      and (flow is null or flow = its_flow) and (runs_of is null or runs_of = its_user) on conflict do nothing
    $$`.execute(db)
}

async function onRuns(db: Kysely<unknown>): Promise<void> {
  await sql`create function koco_note_run() returns trigger language plpgsql as $$ begin
    perform koco_note('run.' || new.status, 'run.' || new.status || ' ' || new.fid || ' ' || new.last_epoch, new.fid, null, new.flow, new.username, null,
      extract(epoch from clock_timestamp())::float8);
    return null; end $$`.execute(db)
  await sql`create trigger runs_noted after update of status on runs for each row
    when (new.status in ('finished', 'error', 'cancelled', 'timed_out') and new.launcher <> ${sql.lit(IMPORTED)} and (old.status <> new.status or old.last_epoch <> new.last_epoch))
    execute function koco_note_run()`.execute(db)
}

async function onLocks(db: Kysely<unknown>): Promise<void> {
  await sql`create function koco_note_lock() returns trigger language plpgsql as $$ begin
    perform koco_note(its_type, its_type || ' ' || new.fid || ' ' || new.lid, new.fid, new.lid, flow, username, new.name, extract(epoch from clock_timestamp())::float8)
      from (select case new.status when 'open' then 'question.waiting' else 'question.expired' end as its_type, flow, username from runs where fid = new.fid) as known;
    return null; end $$`.execute(db)
  await sql`create trigger locks_opened after insert on locks for each row when (new.status = 'open') execute function koco_note_lock()`.execute(db)
  await sql`create trigger locks_expired after update of status on locks for each row
    when (new.status = 'expired' and old.status = 'open') execute function koco_note_lock()`.execute(db)
}

async function onDeadEvents(db: Kysely<unknown>): Promise<void> {
  await sql`create function koco_note_dead() returns trigger language plpgsql as $$ begin
    perform koco_note('dead.event', 'dead.event ' || new.fid || ' ' || new.position, new.fid, null, (select flow from runs where fid = new.fid),
      (select username from runs where fid = new.fid), new.position, extract(epoch from clock_timestamp())::float8);
    return null; end $$`.execute(db)
  await sql`create trigger dead_events_noted after insert on dead_events for each row execute function koco_note_dead()`.execute(db)
}
