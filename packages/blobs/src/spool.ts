import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { compressor, decompressor, shrinks } from './compression.ts'
import { HEADER_BYTES, headerBytes, type Encoding } from './header.ts'
import type { CompressionLevel } from './port.ts'

const CHUNK_BYTES = 256 * 1024

/** Content that was written to a file as a stored blob. */
export type Spooled = { readonly hash: string; readonly size: number; readonly stored: number; readonly path: string }

/** Writes content of any length to a new file as a stored blob; it is on disk when this resolves. The file is gone after a failure. */
export async function spool(content: AsyncIterable<Uint8Array>, level: CompressionLevel, scratch: () => Promise<string>): Promise<Spooled> {
  const path = await scratch()
  try {
    const spooled = await write(content, level, path)
    if (spooled.encoding === 'plain' || spooled.stored < spooled.size + HEADER_BYTES) return { ...spooled, path }
    const { encoding } = spooled
    const plain = await spool(createReadStream(path, { start: HEADER_BYTES }).pipe(decompressor(encoding)), 0, scratch)
    await rm(path)
    return plain
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

async function write(content: AsyncIterable<Uint8Array>, level: CompressionLevel, path: string): Promise<Omit<Spooled, 'path'> & { encoding: Encoding }> {
  const hash = createHash('sha256')
  let size = 0
  const { first, rest } = await beginning(content)
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of rest) {
      hash.update(chunk)
      size += chunk.byteLength
      yield chunk
    }
  }
  const file = createWriteStream(path, { flags: 'wx', mode: 0o640, start: HEADER_BYTES, highWaterMark: 4 * CHUNK_BYTES })
  const squeezing = shrinks(first, level) ? compressor(level) : undefined
  if (squeezing) await pipeline(hashed, squeezing.stream, file)
  else await pipeline(Readable.from(hashed(), { objectMode: false, highWaterMark: CHUNK_BYTES }), file)
  const encoding = squeezing?.encoding ?? 'plain'
  const handle = await open(path, 'r+')
  try {
    await handle.write(headerBytes({ encoding, size }), 0, HEADER_BYTES, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { hash: hash.digest('hex'), size, stored: (await stat(path)).size, encoding }
}

/** The first bytes, to judge by, and everything from the first byte on. */
async function beginning(content: AsyncIterable<Uint8Array>): Promise<{ first: Uint8Array; rest: AsyncIterable<Uint8Array> }> {
  const iterator = content[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let held = 0
  while (held < CHUNK_BYTES * 2) {
    const next = await iterator.next()
    if (next.done === true) break
    chunks.push(next.value)
    held += next.value.byteLength
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield* chunks.splice(0)
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  }
  return { first: Buffer.concat(chunks), rest: rest() }
}
