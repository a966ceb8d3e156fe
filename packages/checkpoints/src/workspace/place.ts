import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm, rmdir, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RefusedError } from '@koco/core'
import type { BlobStore, CrashPoint } from '@koco/blobs'
import type { CheckpointFile } from '../manifest/manifest.ts'
import { syncPath } from '../sync-path.ts'
import { checkPath } from './paths.ts'

const AT_ONCE = 8
const WHOLE_BYTES_MAX = 4 * 1024 * 1024

/** `there`: hashes of what lies there, by path: what is as it should be stays. `crash`: for crash tests. */
type PlaceOptions = { readonly there?: ReadonlyMap<string, string>; readonly crash?: CrashPoint }

/**
 * Writes files of a checkpoint below a folder, over what is there: each is whole and on disk under its name, or not there. Nothing is written through a symbolic link.
 * RefusedError `bad_path`, `unknown_blob`; PoisonError `blob_corrupt`.
 */
export async function placeFiles(root: string, files: readonly CheckpointFile[], blobs: BlobStore, { there, crash }: PlaceOptions = {}): Promise<void> {
  await mkdir(root, { recursive: true })
  const folders = new Map<string, Promise<void>>()
  const queue = files.values()
  const worker = async (): Promise<void> => {
    for (const file of queue) {
      await realFolder(root, dirname(checkPath(file.path)), folders)
      if (there?.get(file.path) === file.hash && (await hasMode(root, file))) continue
      await placeFile(root, file, blobs)
      crash?.('place:placed')
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  for (const folder of new Set(['.', ...folders.keys()])) await syncPath(join(root, folder))
}

/** Takes files away, and the folders that are empty then. */
export async function removeFiles(root: string, paths: readonly string[], crash?: CrashPoint): Promise<void> {
  for (const path of paths) {
    await realFolder(root, dirname(checkPath(path)), new Map())
    await rm(join(root, path), { force: true })
    crash?.('place:removed')
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      if ((await readdir(join(root, folder))).length > 0) break
      await rmdir(join(root, folder))
    }
  }
}

async function hasMode(root: string, { path, mode }: CheckpointFile): Promise<boolean> {
  const known = await lstat(join(root, path))
  return known.isFile() && (known.mode & 0o777) === mode
}

async function placeFile(root: string, file: CheckpointFile, blobs: BlobStore): Promise<void> {
  const target = join(root, file.path)
  const part = join(dirname(target), `.koco-${randomUUID()}`)
  const handle = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, file.mode | 0o600)
  try {
    try {
      if (file.size <= WHOLE_BYTES_MAX) await handle.writeFile(await blobs.read(file.hash))
      else await writeAll(handle, await blobs.open(file.hash))
      await handle.chmod(file.mode)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await rename(part, target).catch((error: unknown) => {
      throw error instanceof Error && 'code' in error && ['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(String(error.code)) ? inTheWay(file.path) : error
    })
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** Writes a piece while the next one is read and unpacked. */
async function writeAll(handle: FileHandle, content: AsyncIterable<unknown>): Promise<void> {
  let writing: Promise<void> = Promise.resolve()
  for await (const chunk of content) {
    await writing
    writing = handle.writeFile(chunk as Buffer)
    // Met by the next await, whenever that comes.
    writing.catch(() => undefined)
  }
  await writing
}

/** Makes the folder `folder` below the root, each part of it a real folder; once for all that ask. */
function realFolder(root: string, folder: string, known: Map<string, Promise<void>>): Promise<void> {
  if (folder === '.') return Promise.resolve()
  const made = known.get(folder) ?? makeReal(root, folder, known)
  known.set(folder, made)
  return made
}

async function makeReal(root: string, folder: string, known: Map<string, Promise<void>>): Promise<void> {
  await realFolder(root, dirname(folder), known)
  const path = join(root, folder)
  await mkdir(path).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
  if (!(await lstat(path)).isDirectory()) throw inTheWay(folder)
}

function inTheWay(path: string): RefusedError {
  return new RefusedError(`"${path}" cannot be restored: a file, folder or link is in its way. Move it away, or restore to a new session.`, {
    code: 'bad_path',
  })
}
