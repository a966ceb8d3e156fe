import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RefusedError } from '@koco/core'

/** A part of an installation and where it lies: the runs (a folder with its index), a database, any folder, or a single file. What is not there is left out, but for the runs. */
export type BackupPart = { readonly name: string; readonly kind: 'runs' | 'database' | 'folder' | 'file'; readonly path: string }

/** A file of a backup: its path in it, its size in bytes, and the SHA-256 of its bytes in hex. */
export type BackupFile = { readonly path: string; readonly bytes: number; readonly sha256: string }

/** What a backup holds. `at`: when it was taken, unix seconds. `version`: of the koco that took it. */
export type BackupManifest = {
  readonly format: 1
  readonly version: string
  readonly at: number
  readonly runs: number
  readonly parts: readonly Pick<BackupPart, 'name' | 'kind'>[]
  readonly files: readonly BackupFile[]
}

const NAME = 'backup.json'

/** Every file below a folder with its hash, each on disk for good. */
export async function describeFiles(folder: string): Promise<BackupFile[]> {
  const files: BackupFile[] = []
  for (const path of await filesBelow(folder)) {
    if (path === NAME) continue
    await syncPath(join(folder, path))
    files.push({ path, ...(await digestOf(join(folder, path))) })
  }
  return files
}

/** Writes the manifest beside the files. */
export async function writeManifest(folder: string, manifest: BackupManifest): Promise<void> {
  await writeFile(join(folder, NAME), `${JSON.stringify(manifest, null, 1)}\n`, { flush: true })
}

/**
 * The manifest of a backup, after every file was compared with it. RefusedError `no_backup` for a folder that is none, `bad_backup` that names the first files which are missing, changed or too many.
 */
export async function verifyBackup(folder: string): Promise<BackupManifest> {
  const manifest = await readManifest(folder)
  const wanted = new Map(manifest.files.map((file) => [file.path, file]))
  const faults: string[] = []
  for (const path of await filesBelow(folder)) {
    if (path === NAME) continue
    const file = wanted.get(path)
    wanted.delete(path)
    if (!file) faults.push(`${path} does not belong to it`)
    else if ((await digestOf(join(folder, path))).sha256 !== file.sha256) faults.push(`${path} was changed`)
  }
  faults.push(...[...wanted.keys()].map((path) => `${path} is missing`))
  if (faults.length === 0) return manifest
  const told = `${faults.slice(0, 5).join('; ')}${faults.length > 5 ? `; and ${faults.length - 5} more` : ''}`
  throw new RefusedError(`The backup ${folder} is not what it was: ${told}. Use another one.`, { code: 'bad_backup', details: { faults } })
}

/** Makes folders' entries durable; with `below` those of all folders in them too. */
export async function syncFolders(folder: string, below = true): Promise<void> {
  await syncPath(folder)
  if (!below) return
  for (const entry of await readdir(folder, { withFileTypes: true })) if (entry.isDirectory()) await syncFolders(join(folder, entry.name))
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function readManifest(folder: string): Promise<BackupManifest> {
  const text = await readFile(join(folder, NAME), 'utf8').catch(() => '')
  try {
    const manifest = JSON.parse(text) as BackupManifest
    if (manifest.format === 1 && Array.isArray(manifest.files)) return manifest
  } catch {
    // Said below, together with a manifest of another form.
  }
  throw new RefusedError(`${folder} is no backup of koco, or one of a newer version: its ${NAME} is missing or of another form.`, { code: 'no_backup' })
}

async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (entry.isDirectory()) found.push(...(await filesBelow(folder, path)))
    else found.push(path)
  }
  return found
}

async function digestOf(path: string): Promise<Pick<BackupFile, 'bytes' | 'sha256'>> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}
