import type { AdminMoveReport } from './admin/move-admin.ts'
import type { AdminStore } from './port/admin.ts'
import { parseDatabaseUrl } from './url.ts'

/** `url`: as `KODO_ADMIN_DATABASE`. `migrate`: bring the tables to this version first, default false. `poolMax`: Postgres connections at most, default 4. */
export type AdminStoreSettings = { readonly url: string; readonly migrate?: boolean; readonly poolMax?: number }

/** Opens the admin store that the address names. Throws RefusedError `bad_database_url`, `schema_older`, `schema_newer`, `bad_data_folder`, `database_refused`; UnavailableError. */
export async function openAdminStore({ url, migrate = false, poolMax = 4 }: AdminStoreSettings): Promise<AdminStore> {
  const where = parseDatabaseUrl(url)
  const { createAdminStore } = await import('./admin/admin-store.ts')
  return createAdminStore(where, { migrate, poolMax })
}

/** Brings the admin tables to this version; gives the names of the steps taken. */
export async function migrateAdminStore({ url }: Pick<AdminStoreSettings, 'url'>): Promise<readonly string[]> {
  const where = parseDatabaseUrl(url)
  const { migrateAdminTables } = await import('./admin/admin-store.ts')
  return migrateAdminTables(where)
}

/** Copies every row of one admin store into another one, whose tables it makes, and compares them. Throws RefusedError `move_differs`. */
export async function moveAdmin(from: Pick<AdminStoreSettings, 'url'>, to: Pick<AdminStoreSettings, 'url'>): Promise<AdminMoveReport> {
  const { moveAdminStore } = await import('./admin/move-admin.ts')
  await migrateAdminStore(to)
  return await moveAdminStore(parseDatabaseUrl(from.url), parseDatabaseUrl(to.url))
}

/** The version of the admin tables (0: there are none) and the one that this koco needs. Writes nothing. */
export async function adminSchemaVersion({ url }: Pick<AdminStoreSettings, 'url'>): Promise<{ readonly found: number; readonly wanted: number }> {
  const where = parseDatabaseUrl(url)
  const { readAdminVersion } = await import('./admin/admin-store.ts')
  return readAdminVersion(where)
}
