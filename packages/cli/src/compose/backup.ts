import { join, resolve } from 'node:path'
import { RefusedError } from '@koco/core'
import { parseDatabaseUrl, type BackupPart } from '@koco/storage'
import { keyFile } from '../panel-client/key.ts'
import { dataFolder, isPostgres } from '../settings/addresses.ts'
import { contentFolder } from './contents.ts'
import type { Settings } from '../settings/schema.ts'

/** The parts of an installation on files, in the order in which they are copied. RefusedError `not_on_files` for one in Postgres. */
export function backupParts(settings: Settings, cwd: string): readonly BackupPart[] {
  const admin = parseDatabaseUrl(settings.adminDatabase)
  if (settings.executionDatabase !== undefined || admin.kind === 'postgres' || isPostgres(settings.adminDatabase)) {
    const message = 'What is in Postgres is copied by its own tools: pg_dump, or a base backup with WAL archiving. koco backup is for installations on files.'
    throw new RefusedError(message, { code: 'not_on_files' })
  }
  // Without BLOB_STORE it lies in the folder of the checkpoints; a bucket has copies of its own.
  const content = contentFolder(settings, cwd)
  return [
    { name: 'execution', kind: 'runs', path: resolve(cwd, settings.execDir) },
    { name: 'admin.db', kind: 'database', path: resolve(cwd, admin.path) },
    { name: 'secret.key', kind: 'file', path: join(dataFolder(settings, cwd), 'secret.key') },
    { name: 'local.key', kind: 'file', path: keyFile(settings, cwd) },
    { name: 'uploads', kind: 'folder', path: resolve(cwd, settings.uploadDir) },
    { name: 'workspaces', kind: 'folder', path: resolve(cwd, settings.workspaceDir) },
    { name: 'checkpoints', kind: 'folder', path: resolve(cwd, settings.checkpointDir) },
    ...(content === null || settings.blobStore === undefined ? [] : [{ name: 'content', kind: 'folder' as const, path: content }]),
  ]
}
