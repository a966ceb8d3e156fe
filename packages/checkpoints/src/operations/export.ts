import { once, type EventEmitter } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack, type Pack } from 'tar-stream'
import { manifestText, type Manifest } from '../manifest/manifest.ts'
import { mustFind, type Parts } from '../parts.ts'
import { syncPath } from '../sync-path.ts'

/** Writes a checkpoint with all it holds to a `.tar.gz`: its manifest, then its blobs by their hashes. The file is whole and on disk when this resolves, or not there. */
export async function exportTo(parts: Parts, id: string, file: string): Promise<void> {
  const part = `${file}.part-${process.pid}`
  try {
    await pipeline(await exportStream(parts, id), createWriteStream(part, { mode: 0o640 }))
    await syncPath(part)
    await rename(part, file)
    await syncPath(dirname(file))
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** The archive as a stream. RefusedError `unknown_checkpoint`, `corrupt_manifest`; the stream fails when content is gone or damaged. */
export async function exportStream(parts: Parts, id: string): Promise<Readable> {
  const manifest = await parts.manifests.read(await mustFind(parts, id))
  const tar = pack()
  const out = new PassThrough()
  const packed = pipeline(tar as AsyncIterable<Uint8Array>, createGzip({ level: 6 }), out)
  packed.catch((error: unknown) => out.destroy(error as Error))
  fill(tar, manifest, parts, packed).catch((error: unknown) => tar.destroy(error as Error))
  return out
}

/** `packed`: settles when nobody takes anything any more. */
async function fill(tar: Pack, manifest: Manifest, parts: Parts, packed: Promise<void>): Promise<void> {
  const mtime = new Date(manifest.createdAt * 1000)
  const add = async (name: string, size: number, content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> => {
    const entry = tar.entry({ name, size, mtime })
    for await (const chunk of content) if (!entry.write(chunk)) await Promise.race([once(entry as unknown as EventEmitter, 'drain'), packed])
    entry.end(undefined)
  }
  const text = Buffer.from(manifestText(manifest))
  await add('manifest.json', text.byteLength, [text])
  const seen = new Set<string>()
  for (const { hash, size } of manifest.files) {
    if (seen.has(hash)) continue
    seen.add(hash)
    await add(`blobs/${hash}`, size, await parts.blobs.open(hash))
  }
  tar.finalize()
}
