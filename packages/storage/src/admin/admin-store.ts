import { existsSync } from 'node:fs'
import { Kysely, SqliteDialect } from 'kysely'
import { guarded } from '../guard.ts'
import { migrate, requireSchema, schemaVersion } from '../migrations.ts'
import type { AdminStore } from '../port/admin.ts'
import { isWorthAnotherTry, postgresError } from '../postgres/errors.ts'
import type { DatabaseUrl } from '../url.ts'
import { createIdentityTable } from './identities.ts'
import { createAuditTable } from './audit.ts'
import { createKeyTable } from './keys.ts'
import { ADMIN_SCHEMA, type AdminDatabase, type AdminTables } from './schema.ts'
import { createSessionTable } from './sessions.ts'
import { createSigningKeyTable } from './signing-keys.ts'
import { openSqliteFile, sqliteError } from './sqlite-file.ts'
import { createTicketTable } from './tickets.ts'
import { createTokenTable } from './tokens.ts'
import { createUserTable } from './users.ts'
import { createViewTable } from './views.ts'

type Opened = { readonly db: Kysely<unknown>; convert(error: unknown): unknown; another(error: unknown): boolean }

/** `migrate`: bring the tables to this version first. `poolMax`: Postgres connections at most. */
export type AdminStoreOptions = { readonly migrate: boolean; readonly poolMax: number }

/** Opens the admin store. Throws RefusedError `schema_older`, `schema_newer`, `bad_data_folder`, `database_refused`; UnavailableError. */
export async function createAdminStore(where: DatabaseUrl, options: AdminStoreOptions): Promise<AdminStore> {
  const opened = await open(where, options)
  await prepare(opened, where, options.migrate)
  const { db: untyped, convert, another } = opened
  const db = untyped.$extendTables<AdminTables>()
  const guard = <T extends object>(part: T): T => guarded(part, convert, another)
  return {
    users: guard(createUserTable(db)),
    sessions: guard(createSessionTable(db)),
    keys: guard(createKeyTable(db)),
    identities: guard(createIdentityTable(db)),
    tokens: guard(createTokenTable(db)),
    signingKeys: guard(createSigningKeyTable(db)),
    tickets: guard(createTicketTable(db)),
    audit: guard(createAuditTable(db)),
    views: guard(createViewTable(db)),
    ...guard({ check: () => writeHealth(db) }),
    close: () => db.destroy(),
  }
}

/** Brings the admin tables to this version; gives the names of the steps taken. */
export async function migrateAdminTables(where: DatabaseUrl): Promise<string[]> {
  return usingAdminDatabase(where, false, (db) => migrate(db, where.kind, ADMIN_SCHEMA))
}

/** The admin schema's version in a database, and the one that this koco needs. Writes nothing. */
export async function readAdminVersion(where: DatabaseUrl): Promise<{ readonly found: number; readonly wanted: number }> {
  const isMissing = where.kind === 'sqlite' && !existsSync(where.path)
  const found = isMissing ? 0 : await usingAdminDatabase(where, true, (db) => schemaVersion(db, where.kind, 'admin'))
  return { found, wanted: ADMIN_SCHEMA.migrations.length }
}

async function open(where: DatabaseUrl, { poolMax }: { readonly poolMax: number }, readonly = false): Promise<Opened> {
  if (where.kind === 'postgres') {
    // Only then: whoever keeps users in a file need not load the driver.
    const { openKysely, openPool } = await import('../postgres/database.ts')
    return { db: openKysely(openPool(where.url, { poolMax })), convert: postgresError(where.url), another: isWorthAnotherTry }
  }
  const database = openSqliteFile(where.path, readonly)
  return { db: new Kysely<unknown>({ dialect: new SqliteDialect({ database }) }), convert: sqliteError(where.path), another: () => false }
}

async function prepare({ db, convert }: Opened, where: DatabaseUrl, isMigrating: boolean): Promise<void> {
  try {
    if (isMigrating) await migrate(db, where.kind, ADMIN_SCHEMA)
    else await requireSchema(db, where.kind, ADMIN_SCHEMA)
  } catch (error) {
    await db.destroy()
    throw convert(error)
  }
}

/** Opens a database of admin tables for as long as `act` takes; its errors are the store's. */
export async function usingAdminDatabase<T>(where: DatabaseUrl, readonly: boolean, act: (db: Kysely<unknown>) => Promise<T>): Promise<T> {
  const { db, convert } = await open(where, { poolMax: 1 }, readonly)
  try {
    return await act(db)
  } catch (error) {
    throw convert(error)
  } finally {
    await db.destroy()
  }
}

async function writeHealth(db: AdminDatabase): Promise<void> {
  const at = Date.now() / 1000
  await db
    .insertInto('admin_health')
    .values({ id: 1, at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ at }))
    .execute()
}
