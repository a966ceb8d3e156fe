import type { Kysely } from 'kysely'

/** The table of the views that people keep. */
export async function createViewTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('saved_views')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('search', 'text', (column) => column.notNull())
    .addColumn('shared', 'integer', (column) => column.notNull())
    .addColumn('saved_at', 'double precision', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('ix_saved_views_name').on('saved_views').columns(['user_id', 'name']).unique().execute()
  await db.schema.createIndex('ix_saved_views_shared').on('saved_views').column('shared').execute()
}
