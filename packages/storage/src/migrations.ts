import { RefusedError } from '@koco/core'
import { sql, type Kysely, type QueryResult } from 'kysely'

/** One step of a schema; its version is its place in the list, counted from 1. Steps are only ever added. */
export type Migration = { readonly name: string; up(db: Kysely<unknown>, engine: Engine): Promise<void> }

/** The schema of one store: both stores may lie in one database. `open` says in messages which one it is. */
export type Schema = { readonly store: 'execution' | 'admin'; readonly migrations: readonly Migration[] }

type Engine = 'sqlite' | 'postgres'

/**
 * Brings a schema to this version, in one transaction under a lock, so that several processes may try at once. Gives the names of the steps taken.
 * Throws RefusedError `schema_newer`.
 */
export async function migrate(db: Kysely<unknown>, engine: Engine, schema: Schema): Promise<string[]> {
  return db.connection().execute(async (connection) => {
    await (engine === 'sqlite' ? sql`begin immediate` : sql`begin`).execute(connection)
    try {
      const applied = await takeSteps(connection, engine, schema)
      await sql`commit`.execute(connection)
      return applied
    } catch (error) {
      await rollback(connection)
      throw error
    }
  })
}

/** The version that a database has; 0 for one without this schema. */
export async function schemaVersion(db: Kysely<unknown>, engine: Engine, store: Schema['store']): Promise<number> {
  const table = await (
    engine === 'sqlite' ? sql`select 1 from sqlite_master where name = 'schema_migrations'` : sql`select 1 where to_regclass('schema_migrations') is not null`
  ).execute(db)
  if (table.rows.length === 0) return 0
  const found: QueryResult<{ version: number | null }> = await sql<{
    version: number | null
  }>`select max(version) as version from schema_migrations where store = ${store}`.execute(db)
  return found.rows[0]?.version ?? 0
}

/** Throws RefusedError `schema_older` or `schema_newer` unless the database has exactly this version. */
export async function requireSchema(db: Kysely<unknown>, engine: Engine, schema: Schema): Promise<void> {
  const found = await schemaVersion(db, engine, schema.store)
  refuseNewer(found, schema)
  const wanted = schema.migrations.length
  if (found === wanted) return
  const what =
    found === 0 ? `The ${schema.store} database has no tables yet` : `The ${schema.store} database has schema version ${found}; this koco needs ${wanted}`
  throw new RefusedError(`${what}. Run: koco db --create-tables`, { code: 'schema_older', details: { found, wanted } })
}

async function takeSteps(db: Kysely<unknown>, engine: Engine, schema: Schema): Promise<string[]> {
  if (engine === 'postgres') {
    await sql`set local statement_timeout = 0`.execute(db)
    await sql`set local lock_timeout = 0`.execute(db)
    await sql`select pg_advisory_xact_lock(hashtext('koco schema migrations'))`.execute(db)
  }
  await createLedger(db)
  const found = await schemaVersion(db, engine, schema.store)
  refuseNewer(found, schema)
  const steps = schema.migrations.slice(found)
  for (const [index, { name, up }] of steps.entries()) {
    await up(db, engine)
    const version = found + index + 1
    await sql`insert into schema_migrations (store, version, name, applied_at) values (${schema.store}, ${version}, ${name}, ${Date.now() / 1000})`.execute(db)
  }
  return steps.map(({ name }) => name)
}

async function createLedger(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('store', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('applied_at', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('schema_migrations_pk', ['store', 'version'])
    .execute()
}

function refuseNewer(found: number, { store, migrations }: Schema): void {
  if (found <= migrations.length) return
  const message = `The ${store} database was made by a newer koco (schema version ${found}, this one knows ${migrations.length}). Update koco, or name another database.`
  throw new RefusedError(message, { code: 'schema_newer', details: { found, wanted: migrations.length } })
}

/** The error that led here says more than a rollback that fails on a broken connection; the server rolls back by itself then. */
async function rollback(db: Kysely<unknown>): Promise<void> {
  await sql`rollback`.execute(db).catch(() => undefined)
}
