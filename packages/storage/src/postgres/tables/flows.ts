import { sql, type Kysely } from 'kysely'
import { key } from './key.ts'

/** Flows and who serves them. */
export async function createFlowTables(db: Kysely<unknown>): Promise<void> {
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
