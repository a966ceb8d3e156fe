import { RefusedError } from '@koco/core'
import type { EventWriter } from './port/events.ts'
import type { ExecutionStore } from './port/execution-store.ts'
import { maskDatabaseUrl, parseDatabaseUrl } from './url.ts'

/**
 * `url`: as `KODO_EXECUTION_DATABASE`, a Postgres address; without it SQLite files under `dir` (`KODO_EXEC_DIR`). `migrate`: bring the tables to this version first, default
 * false. `takesEvents`: false for a process that writes no events; over SQLite it then lacks the thread that files them (about 10 MB), and `writer.write` throws. Default true.
 * `poolMax`: Postgres connections at most, default 10.
 */
export type ExecutionStoreSettings = {
  readonly url?: string | undefined
  readonly dir?: string | undefined
  readonly migrate?: boolean
  readonly takesEvents?: boolean
  readonly poolMax?: number
}

/** The version of a store's tables (0: there are none) and the one that this koco needs. */
export type SchemaVersions = { readonly found: number; readonly wanted: number }

type Place = { readonly kind: 'sqlite'; readonly dir: string } | { readonly kind: 'postgres'; readonly url: string }

/** Opens the execution store that the settings name. Throws RefusedError `bad_database_url`, `schema_older`, `schema_newer`, `bad_data_folder`, `database_refused`; UnavailableError. */
export async function openExecutionStore(settings: ExecutionStoreSettings): Promise<ExecutionStore> {
  const { migrate = false, takesEvents = true, poolMax = 10 } = settings
  const place = findPlace(settings)
  if (place.kind === 'postgres') {
    const { createPostgresExecutionStore } = await import('./postgres/index.ts')
    return createPostgresExecutionStore({ url: place.url, migrate, poolMax })
  }
  const { createSqliteExecutionStore } = await import('./sqlite/index.ts')
  return createSqliteExecutionStore({ dir: place.dir, migrate, takesEvents })
}

/** The writer of the store that the settings name, and how to close it: what a spooler needs. Throws as `openExecutionStore`. */
export async function createEventWriter(settings: ExecutionStoreSettings): Promise<EventWriter & Pick<ExecutionStore, 'close'>> {
  const store = await openExecutionStore(settings)
  return { write: (batch) => store.writer.write(batch), close: () => store.close() }
}

/** Brings the tables to this version; gives the names of the steps taken. */
export async function migrateExecutionStore(settings: Omit<ExecutionStoreSettings, 'migrate' | 'poolMax'>): Promise<readonly string[]> {
  const place = findPlace(settings)
  if (place.kind === 'postgres') {
    const { migratePostgresTables } = await import('./postgres/index.ts')
    return migratePostgresTables(place.url)
  }
  const { migrateSqliteTables } = await import('./sqlite/index.ts')
  return migrateSqliteTables(place.dir)
}

/** The versions of the execution tables. Writes nothing. */
export async function executionSchemaVersion(settings: Omit<ExecutionStoreSettings, 'migrate' | 'poolMax'>): Promise<SchemaVersions> {
  const place = findPlace(settings)
  if (place.kind === 'postgres') {
    const { readPostgresVersion } = await import('./postgres/index.ts')
    return readPostgresVersion(place.url)
  }
  const { readSqliteVersion } = await import('./sqlite/index.ts')
  return readSqliteVersion(place.dir)
}

function findPlace({ url, dir }: ExecutionStoreSettings): Place {
  if (url === undefined) {
    if (dir === undefined)
      throw new RefusedError('No place for runs is named. Set a folder (KODO_EXEC_DIR) or a database (KODO_EXECUTION_DATABASE).', { code: 'bad_database_url' })
    return { kind: 'sqlite', dir }
  }
  const where = parseDatabaseUrl(url)
  if (where.kind === 'postgres') return where
  const message = `"${maskDatabaseUrl(url)}" cannot hold runs: SQLite keeps them as a folder of files. Leave KODO_EXECUTION_DATABASE empty and name the folder by KODO_EXEC_DIR.`
  throw new RefusedError(message, { code: 'bad_database_url' })
}
