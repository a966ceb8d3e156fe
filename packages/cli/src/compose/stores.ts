import { resolve } from 'node:path'
import { openAdminStore, openExecutionStore, parseDatabaseUrl, type AdminStore, type ExecutionStore } from '@koco/storage'
import { isPostgres } from '../settings/addresses.ts'
import type { Settings } from '../settings/schema.ts'

/** Where the admin store is, a relative file made absolute: what `openAdminStore` and its kin take. */
export function adminPlace(settings: Settings, cwd: string): { readonly url: string } {
  const parsed = parseDatabaseUrl(settings.adminDatabase)
  return { url: parsed.kind === 'postgres' ? settings.adminDatabase : `sqlite:///${encodeURI(resolve(cwd, parsed.path))}` }
}

/** Where the execution store is: a database, else a folder. */
export function executionPlace(settings: Settings, cwd: string): { readonly url?: string; readonly dir?: string } {
  return settings.executionDatabase === undefined ? { dir: resolve(cwd, settings.execDir) } : { url: settings.executionDatabase }
}

/** Opens the admin store. Files are brought to this version by themselves; a database says which command to run. */
export function openAdmin(settings: Settings, cwd: string): Promise<AdminStore> {
  return openAdminStore({ ...adminPlace(settings, cwd), migrate: !isPostgres(settings.adminDatabase) })
}

/** What a process asks of the store that its settings do not say; as `openExecutionStore` explains it. */
export type ExecutionUse = { readonly takesEvents?: boolean }

/** Opens the execution store, in the same way. */
export function openExecution(settings: Settings, cwd: string, use: ExecutionUse = {}): Promise<ExecutionStore> {
  return openExecutionStore({ ...executionPlace(settings, cwd), migrate: settings.executionDatabase === undefined, ...use })
}
