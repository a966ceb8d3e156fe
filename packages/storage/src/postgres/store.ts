import { sql } from 'kysely'
import type { Pool } from 'pg'
import { guarded } from '../guard.ts'
import { migrate as migrateSchema, requireSchema, schemaVersion } from '../migrations.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { createBudgetTable } from './budgets.ts'
import { createCheckpointTable } from './checkpoints.ts'
import { createContentIndex } from './contents.ts'
import { openKysely, openPool } from './database.ts'
import { createDeadEventTable } from './dead-events.ts'
import { isWorthAnotherTry, postgresError, writeError } from './errors.ts'
import { takeExclusive } from './exclusive.ts'
import { createFlowTable } from './flows.ts'
import { createPostgresKeeper } from './keeper.ts'
import { createInsightTable } from './insights.ts'
import { createLockTable } from './locks.ts'
import { createPostgresReader } from './reader.ts'
import { createRunTable } from './runs.ts'
import { createScheduleTable } from './schedules.ts'
import { createSessionTable } from './sessions.ts'
import { EXECUTION_SCHEMA, type ExecutionDatabase, type ExecutionTables } from './schema.ts'
import { createWebhookTable } from './webhooks.ts'
import { createPostgresWriter } from './writer.ts'

/** `url`: a plain Postgres address. `migrate`: bring the tables to this version first, default false. `poolMax`: connections at most, default 10. `statementMs`: how long a statement may take, default 30,000. */
export type PostgresStoreOptions = { readonly url: string; readonly migrate?: boolean; readonly poolMax?: number; readonly statementMs?: number }

/** Opens the execution store in a Postgres database. Throws RefusedError `schema_older`, `schema_newer`, `database_refused`; UnavailableError. */
export async function createPostgresExecutionStore({
  url,
  migrate = false,
  poolMax = 10,
  statementMs = 30_000,
}: PostgresStoreOptions): Promise<ExecutionStore> {
  const convert = postgresError(url)
  const pool = openPool(url, { poolMax, statementMs })
  const untyped = openKysely(pool)
  try {
    if (migrate) await migrateSchema(untyped, 'postgres', EXECUTION_SCHEMA)
    else await requireSchema(untyped, 'postgres', EXECUTION_SCHEMA)
  } catch (error) {
    await untyped.destroy()
    throw convert(error)
  }
  return assemble(url, pool, untyped.$extendTables<ExecutionTables>())
}

/** Brings the execution tables of a database to this version; gives the names of the steps taken. */
export async function migratePostgresTables(url: string): Promise<string[]> {
  const db = openKysely(openPool(url, { poolMax: 1 }))
  try {
    return await migrateSchema(db, 'postgres', EXECUTION_SCHEMA)
  } catch (error) {
    throw postgresError(url)(error)
  } finally {
    await db.destroy()
  }
}

/** The version of the execution tables in a database (0: none), and the one wanted. Writes nothing. */
export async function readPostgresVersion(url: string): Promise<{ found: number; wanted: number }> {
  const db = openKysely(openPool(url, { poolMax: 1 }))
  try {
    return { found: await schemaVersion(db, 'postgres', 'execution'), wanted: EXECUTION_SCHEMA.migrations.length }
  } catch (error) {
    throw postgresError(url)(error)
  } finally {
    await db.destroy()
  }
}

function assemble(url: string, pool: Pool, db: ExecutionDatabase): ExecutionStore {
  const convert = postgresError(url)
  const guard = <T extends object>(part: T): T => guarded(part, convert, isWorthAnotherTry)
  return {
    writer: createPostgresWriter(pool, writeError(url)),
    reader: guard(createPostgresReader(pool)),
    runs: guard(createRunTable(db, pool)),
    locks: guard(createLockTable(db)),
    dead: guard(createDeadEventTable(db)),
    flows: guard(createFlowTable(db)),
    schedules: guard(createScheduleTable(db)),
    sessions: guard(createSessionTable(db)),
    // A backup is handed out part by part: what was handed out is not called back.
    keeper: guarded(createPostgresKeeper(db, pool), convert),
    budgets: guard(createBudgetTable(db)),
    insights: guard(createInsightTable(db)),
    checkpoints: guard(createCheckpointTable(db)),
    contents: guard(createContentIndex(db)),
    webhooks: guard(createWebhookTable(db)),
    ...guard({ check: () => writeHealth(db), exclusive: (name: string) => takeExclusive(url, name), serverTime: () => readClock(db) }),
    close: () => db.destroy(),
  }
}

async function readClock(db: ExecutionDatabase): Promise<number> {
  const { rows } = await sql<{ ms: string }>`select extract(epoch from clock_timestamp()) * 1000 as ms`.execute(db)
  return Number(rows[0]?.ms)
}

async function writeHealth(db: ExecutionDatabase): Promise<void> {
  const at = Date.now() / 1000
  await db
    .insertInto('store_health')
    .values({ id: 1, at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ at }))
    .execute()
}
