import { createReadStream } from 'node:fs'
import { Transform, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { KocoError, RefusedError, UnavailableError } from '@koco/core'
import { extract, type Extract } from 'tar-stream'
import { ARCHIVE_LIMITS, badArchive, type ArchiveLimits } from '../archive/limits.ts'
import { checkManifest } from '../archive/check-manifest.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { checkpointOf, newCheckpointId, pinned, saveCheckpoint, type Checkpoint, type Parts } from '../parts.ts'

/** `user`: whose the checkpoint is here, default as in the archive. */
export type ImportOptions = { readonly user?: string | undefined; readonly limits?: Partial<ArchiveLimits> | undefined }

type Entry = Extract extends AsyncIterable<infer E> ? E : never

/**
 * Makes a checkpoint of an archive. It keeps its id unless another has it; one that is here already with the same content is given. Nothing is written but blobs under the hashes that were verified, and
 * nothing refers to them unless all is well. RefusedError `bad_archive`.
 */
export async function importFrom(parts: Parts, source: string | Readable, options: ImportOptions = {}): Promise<Checkpoint> {
  const limits = { ...ARCHIVE_LIMITS, ...options.limits }
  return await pinned(parts, async () => {
    const manifest = await unpack(parts, typeof source === 'string' ? createReadStream(source) : source, limits).catch((error: unknown) => {
      throw toKocoError(error)
    })
    parts.crash('import:blobs')
    const there = await parts.store.get(manifest.id)
    if (there) {
      const known = await parts.manifests.read(there)
      if (sameContent(known, manifest)) return checkpointOf(known, there)
    }
    const id = there ? newCheckpointId(parts.clock()) : manifest.id
    return await saveCheckpoint(parts, { ...manifest, id, revision: 1, user: options.user ?? manifest.user, origin: 'import' }, undefined)
  })
}

/** Reads the archive: the manifest first, then each of its blobs once, and nothing else. */
async function unpack(parts: Parts, source: Readable, limits: ArchiveLimits): Promise<Manifest> {
  const meter = { read: 0, unpacked: 0 }
  const entries = opened(source, meter, limits)
  let manifest: Manifest | undefined
  const stored = new Map<string, number>()
  let count = 0
  try {
    for await (const entry of entries) {
      if (++count > limits.entriesMax) throw badArchive(`it has more than ${limits.entriesMax} entries`)
      const name = checkEntry(entry, limits)
      if (!manifest) manifest = await readManifest(entry, name, limits)
      else await keepBlob(parts, entry, name, manifest, stored)
    }
  } finally {
    source.destroy()
  }
  if (!manifest) throw badArchive('it is empty')
  const missing = manifest.files.find(({ hash }) => !stored.has(hash))
  if (missing) throw badArchive(`the content of "${missing.path}" is not in it`)
  return { ...manifest, files: manifest.files.map((file) => ({ ...file, stored: stored.get(file.hash) ?? 0, stamp: null })) }
}

function opened(source: Readable, meter: { read: number; unpacked: number }, limits: ArchiveLimits): Extract {
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      meter.read += chunk.byteLength
      done(null, chunk)
    },
  })
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      meter.unpacked += chunk.byteLength
      if (meter.unpacked > limits.bytesMax) return done(badArchive(`its content is larger than ${limits.bytesMax} bytes`))
      const ratio = meter.unpacked / Math.max(1, meter.read)
      if (meter.unpacked > limits.ratioFromBytes && ratio > limits.ratioMax)
        return done(badArchive(`its content is more than ${limits.ratioMax} times as large as it is`))
      return done(null, chunk)
    },
  })
  const tar = extract()
  const fail = (error: Error): void => {
    tar.destroy(error)
  }
  source.on('error', fail).pipe(count).pipe(createGunzip()).on('error', fail).pipe(bounded).on('error', fail).pipe(tar)
  return tar
}

/** Only plain files of the two names that an export gives. */
function checkEntry({ header }: Entry, limits: ArchiveLimits): string {
  const { name, type, size, linkname } = header
  if (type !== 'file' || linkname) throw badArchive(`"${name.slice(0, 100)}" is a ${type}, not a plain file`)
  if (name !== 'manifest.json' && !/^blobs\/[0-9a-f]{64}$/.test(name)) throw badArchive(`"${name.slice(0, 100)}" does not belong into one`)
  if (size > limits.bytesMax) throw badArchive(`"${name}" is larger than ${limits.bytesMax} bytes`)
  return name
}

async function readManifest(entry: Entry, name: string, limits: ArchiveLimits): Promise<Manifest> {
  if (name !== 'manifest.json') throw badArchive('it does not begin with its manifest')
  if (entry.header.size > limits.manifestBytesMax) throw badArchive(`its manifest is larger than ${limits.manifestBytesMax} bytes`)
  const chunks: Buffer[] = []
  for await (const chunk of entry) chunks.push(chunk as Buffer)
  return checkManifest(Buffer.concat(chunks).toString())
}

async function keepBlob(parts: Parts, entry: Entry, name: string, manifest: Manifest, stored: Map<string, number>): Promise<void> {
  const hash = name.slice('blobs/'.length)
  const file = manifest.files.find((one) => one.hash === hash)
  if (!file) throw badArchive(`nothing in its manifest has the content ${hash}`)
  if (stored.has(hash)) throw badArchive(`it has the content ${hash} twice`)
  if (file.size !== entry.header.size) throw badArchive(`the content of "${file.path}" has not the size that its manifest says`)
  const put = await parts.blobs.put(entry as unknown as AsyncIterable<Uint8Array>, { level: parts.compressionLevel })
  if (put.hash !== hash) throw badArchive(`the content of "${file.path}" has not the hash that its manifest says`)
  parts.crash('import:blob')
  stored.set(hash, put.stored)
}

function sameContent(a: Manifest, b: Manifest): boolean {
  const marks = ({ files }: Manifest): string => files.map(({ path, hash, mode }) => JSON.stringify([path, hash, mode])).join('\n')
  return a.sessionId === b.sessionId && a.createdAt === b.createdAt && marks(a) === marks(b)
}

/** What gzip and tar say of broken bytes is about the archive; what the disk says is not. */
function toKocoError(error: unknown): unknown {
  if (error instanceof KocoError || !(error instanceof Error)) return error
  if ('syscall' in error) {
    const missing = 'code' in error && error.code === 'ENOENT'
    if (missing) return new RefusedError(`There is no such archive (${error.message}).`, { code: 'unknown_file', cause: error })
    return new UnavailableError(`The archive cannot be read now (${error.message}).`, { code: 'archive_unavailable', cause: error })
  }
  return badArchive(error.message, error)
}
