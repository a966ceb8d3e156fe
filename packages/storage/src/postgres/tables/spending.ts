import type { Kysely } from 'kysely'
import { key } from './key.ts'

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
