import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { RefusedError } from '@koco/core'
import { describeFiles, syncFolders, verifyBackup, type BackupManifest } from './manifest.ts'
import { copyFolder, exists } from './copy-folder.ts'
import type { BackupPart } from './manifest.ts'

/**
 * Puts a backup in place: every file is compared with the manifest first, and nothing is written over. Each part is copied beside its place, and they are moved there when all are on disk. RefusedError
 * `no_backup`, `bad_backup`, `place_taken`.
 */
export async function restoreBackup(folder: string, parts: readonly BackupPart[]): Promise<BackupManifest> {
  const manifest = await verifyBackup(folder)
  const wanted = []
  for (const part of parts) {
    const path = resolve(part.path)
    if (!(await exists(join(folder, part.name)))) continue
    if (await isTaken(path))
      throw new RefusedError(`There is something at ${path}. Move it away, or name other places, then restore again.`, { code: 'place_taken' })
    wanted.push({ ...part, path, from: join(folder, part.name), beside: `${path}.restoring` })
  }
  for (const { kind, from, beside } of wanted) {
    await rm(beside, { recursive: true, force: true })
    await mkdir(dirname(beside), { recursive: true })
    if (kind === 'runs' || kind === 'folder') {
      await copyFolder(from, beside)
      await describeFiles(beside)
      await syncFolders(beside)
    } else {
      await copyFile(from, beside)
      await syncFolders(beside, false)
    }
  }
  for (const { path, beside } of wanted) {
    await rm(path, { recursive: true, force: true })
    await rename(beside, path)
    await syncFolders(dirname(path), false)
  }
  return manifest
}

/** An empty folder is as good as none. */
async function isTaken(path: string): Promise<boolean> {
  if (!(await exists(path))) return false
  const entries = await readdir(path).catch(() => ['a file'])
  return entries.length > 0
}
