import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { RefusedError } from '@koco/core'
import { copyFolder, exists } from './copy-folder.ts'
import { copySqliteDatabase, copySqliteStore } from '../sqlite/copy-store.ts'
import { describeFiles, syncFolders, writeManifest, type BackupManifest, type BackupPart } from './manifest.ts'

/** `at`: unix seconds, told in the manifest. `version`: of koco. */
export type TakeOptions = { readonly parts: readonly BackupPart[]; readonly target: string; readonly at: number; readonly version: string }

/**
 * Copies an installation that may be in use into a new folder, with the hash of every file. The runs first, then what they may point to, so that nothing in the copy points to what it does not hold. The folder
 * appears under its name when it is whole and on disk. RefusedError `backup_exists`, `no_runs`; UnavailableError.
 */
export async function takeBackup({ parts, target: named, at, version }: TakeOptions): Promise<BackupManifest> {
  const target = resolve(named)
  if (await exists(target)) throw new RefusedError(`There is something at ${target} already. Name a new folder for the backup.`, { code: 'backup_exists' })
  const part = `${target}.part`
  await rm(part, { recursive: true, force: true })
  try {
    const manifest = await fill(part, parts, at, version)
    await syncFolders(part)
    await rename(part, target)
    await syncFolders(dirname(target), false)
    return manifest
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    throw error
  }
}

async function fill(part: string, parts: readonly BackupPart[], at: number, version: string): Promise<BackupManifest> {
  await mkdir(part, { recursive: true })
  let runs = 0
  for (const { name, kind, path } of parts) {
    if (kind === 'runs') runs = copySqliteStore(path, join(part, name))
    else if (await exists(path)) await copyPart(kind, path, join(part, name))
  }
  const manifest: BackupManifest = { format: 1, version, at, runs, parts: parts.map(({ name, kind }) => ({ name, kind })), files: await describeFiles(part) }
  await writeManifest(part, manifest)
  return manifest
}

async function copyPart(kind: 'database' | 'folder' | 'file', from: string, to: string): Promise<void> {
  if (kind === 'database') copySqliteDatabase(from, to)
  else if (kind === 'file') await copyFile(from, to)
  else await copyFolder(from, to)
}
