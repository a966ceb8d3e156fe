import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { CompressionLevel } from '@koco/blobs'
import type { BlobKeeper } from '../blobs-under-way.ts'
import type { CheckpointFile } from '../manifest/manifest.ts'
import { selector, type Selection } from './patterns.ts'
import { walk, type Found } from './walk.ts'

/** The files of a workspace, kept in the content store. */
export type Captured = { readonly files: readonly CheckpointFile[]; readonly skipped: readonly { readonly path: string; readonly why: string }[] }

/** `base`: files of an earlier checkpoint; those that are as they were then are not read again. `baseAt`: when it was made, unix seconds. */
export type CaptureOptions = Selection & {
  readonly level: CompressionLevel
  readonly base?: { readonly files: readonly CheckpointFile[]; readonly at: number } | undefined
}

const AT_ONCE = 8
const WHOLE_BYTES_MAX = 4 * 1024 * 1024
const TRIES = 3
/** A file that changed so shortly before a checkpoint may change again within the same tick of the disk's clock. */
const RACY_MS = 2_000

/** Keeps the files of a workspace that are selected. Call it under a pin. */
export async function captureWorkspace(root: string, blobs: BlobKeeper, options: CaptureOptions): Promise<Captured> {
  const { files: found, skipped } = await walk(root)
  const selected = selector(options)
  const wanted = found.filter(({ path }) => selected(path))
  const known = await unchanged(wanted, blobs, options.base)
  const files: CheckpointFile[] = []
  const queue = wanted.entries()
  const worker = async (): Promise<void> => {
    for (const [, file] of queue) {
      const kept = known.get(file.path) ?? (await keepFile(root, file.path, blobs, options.level))
      if (kept) files.push(kept)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { files, skipped }
}

/** The files that are as the base had them and whose blobs are there, made young. */
async function unchanged(found: readonly Found[], blobs: BlobKeeper, base: CaptureOptions['base']): Promise<ReadonlyMap<string, CheckpointFile>> {
  if (!base) return new Map()
  const before = new Map(base.files.map((file) => [file.path, file]))
  const same = found.flatMap(({ path, stats }) => {
    const file = before.get(path)
    const racy = Number(stats.mtimeMs) > base.at * 1000 - RACY_MS
    return file && file.stamp === stampOf(stats) && !racy ? [{ ...file, mode: modeOf(stats) }] : []
  })
  const missing = new Set(await blobs.touch([...new Set(same.map(({ hash }) => hash))]))
  return new Map(same.filter(({ hash }) => !missing.has(hash)).map((file) => [file.path, file]))
}

/** Reads a file into the store; again when it changed meanwhile, so that its bytes are of one moment where that can be had. Undefined when it went. */
async function keepFile(root: string, path: string, blobs: BlobKeeper, level: CompressionLevel): Promise<CheckpointFile | undefined> {
  for (let tries = 1; ; tries++) {
    const handle = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(unlessGone)
    if (!handle) return undefined
    try {
      const before = await handle.stat({ bigint: true })
      if (!before.isFile()) return undefined
      const { hash, size, stored } = await blobs.put(await contentOf(handle, Number(before.size)), { level })
      const after = await handle.stat({ bigint: true })
      const steady = stampOf(before) === stampOf(after)
      if (steady || tries === TRIES) return { path, hash, size, stored, mode: modeOf(after), stamp: steady ? stampOf(after) : null }
    } finally {
      await handle.close()
    }
  }
}

async function contentOf(handle: FileHandle, size: number): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  if (size <= WHOLE_BYTES_MAX) {
    // In one read, where the file is as long as it was said to be.
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(size + 1), 0, size + 1, 0)
    return bytesRead === size ? buffer.subarray(0, size) : await wholeAgain(handle)
  }
  return handle.createReadStream({ autoClose: false, start: 0, highWaterMark: 1024 * 1024 })
}

/** A file that grows or shrinks under our hands. */
async function wholeAgain(handle: FileHandle): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of handle.createReadStream({ autoClose: false, start: 0 })) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function stampOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return [size, mtimeNs, ctimeNs, ino].map((value) => value.toString(36)).join('-')
}

function modeOf({ mode }: BigIntStats): number {
  return Number(mode) & 0o777
}

function unlessGone(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(String(error.code))) return undefined
  throw error
}
