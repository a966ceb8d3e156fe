import { createHash, randomUUID } from 'node:crypto'
import { Readable, Transform, type Duplex } from 'node:stream'
import { RefusedError } from '@koco/core'
import type { Backend } from './backend.ts'
import { compress, decompress, decompressor } from './compression.ts'
import { corrupt, HEADER_BYTES, headerBytes, parseHeader } from './header.ts'
import type { BegunBlob, BlobContent, Blob, BlobRange, BlobStore, CompressionLevel, Pin, Sweep } from './port.ts'
import { spool } from './spool.ts'

const HASH = /^[0-9a-f]{64}$/
/** Blobs of up to so many stored bytes are verified before their first byte is given. */
const WHOLE_BYTES_MAX = 4 * 1024 * 1024
const LEVEL: CompressionLevel = 6
/** What a sweep leaves alone unless it is told otherwise. */
export const GRACE_MS = 3_600_000
const BEAT_MS = 30_000
/** A pin whose holder was silent for so long is no longer one. */
const PIN_MS = 10 * 60_000
/** Clocks of holders and of the place may differ by a little. */
const PIN_EARLIER_MS = 2_000
const TOUCHES_AT_ONCE = 64

/** The rules of BlobStore over a place that keeps stored blobs. */
export function createBlobStore(backend: Backend): BlobStore {
  return {
    async put(content, { level = LEVEL } = {}) {
      const { durable, ...blob } = await begin(backend, content, level)
      await durable
      return blob
    },
    begin: (content, { level = LEVEL } = {}) => begin(backend, content, level),
    read: (hash) => read(backend, hash),
    open: (hash, range) => open(backend, hash, range),
    stat: (hash) => stat(backend, hash),
    touch: (hashes) => touch(backend, hashes),
    pin: () => pin(backend),
    announce: (holder) => backend.announce(holder),
    holders: () => backend.holders(),
    sweep: (mark, { graceMs = GRACE_MS } = {}) => sweep(backend, mark, graceMs),
    close: () => backend.close(),
  }
}

/** The SHA-256 of bytes, 64 hex digits. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function begin(backend: Backend, content: BlobContent, level: CompressionLevel): Promise<BegunBlob> {
  return content instanceof Uint8Array ? await beginBytes(backend, content, level) : await beginStream(backend, content, level)
}

async function beginBytes(backend: Backend, bytes: Uint8Array, level: CompressionLevel): Promise<BegunBlob> {
  const hash = sha256(bytes)
  const size = bytes.byteLength
  const there = await backend.touch(hash)
  if (there !== undefined) return { hash, size, stored: there, created: false, durable: Promise.resolve() }
  const { encoding, body } = await compress(bytes, level)
  return { hash, size, stored: HEADER_BYTES + body.byteLength, created: true, durable: underWay(backend.keep(hash, [headerBytes({ encoding, size }), body])) }
}

async function beginStream(backend: Backend, content: Exclude<BlobContent, Uint8Array>, level: CompressionLevel): Promise<BegunBlob> {
  const { rest, whole } = await short(content)
  if (whole) return await beginBytes(backend, whole, level)
  const { hash, size, stored, path } = await spool(rest, level, () => backend.scratch())
  const there = await backend.touch(hash)
  return { hash, size, stored, created: there === undefined, durable: underWay(backend.keepFile(hash, path)) }
}

/** That nobody waits for it is no fault. */
export function underWay(durable: Promise<void>): Promise<void> {
  durable.catch(() => undefined)
  return durable
}

/** What fits into memory is put from there. */
async function short(content: AsyncIterable<Uint8Array>): Promise<{ whole?: Uint8Array; rest: AsyncIterable<Uint8Array> }> {
  const iterator = content[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let held = 0
  while (held <= WHOLE_BYTES_MAX) {
    const next = await iterator.next()
    if (next.done === true) return { whole: Buffer.concat(chunks), rest: content }
    chunks.push(next.value)
    held += next.value.byteLength
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks.splice(0)
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  return { rest: rest() }
}

async function read(backend: Backend, hash: string): Promise<Buffer> {
  const stored = HASH.test(hash) ? await backend.load(hash) : undefined
  if (!stored) throw unknownBlob(hash)
  const { encoding, size } = parseHeader(hash, stored)
  const bytes = await decompress(encoding, stored.subarray(HEADER_BYTES), size).catch((error: unknown) => {
    throw corrupt(hash, 'it cannot be decompressed', error)
  })
  if (sha256(bytes) !== hash) throw corrupt(hash, 'its SHA-256 is another')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

async function open(backend: Backend, hash: string, range?: BlobRange): Promise<Readable> {
  const head = HASH.test(hash) ? await backend.head(hash) : undefined
  if (!head) throw unknownBlob(hash)
  if (head.stored <= WHOLE_BYTES_MAX) {
    const whole = await read(backend, hash)
    return Readable.from([range ? whole.subarray(range.start, range.end + 1) : whole], { objectMode: false })
  }
  const { encoding } = parseHeader(hash, head.bytes)
  const body = await backend.body(hash, encoding === 'plain' ? range : undefined)
  if (!body) throw unknownBlob(hash)
  if (range) return encoding === 'plain' ? body : Readable.from(partOf(hash, body, decompressor(encoding), range), { objectMode: false })
  const verified = verifier(hash)
  const fail = (error: Error): void =>
    void verified.destroy(encoding === 'plain' || !('errno' in error) ? error : corrupt(hash, 'it cannot be decompressed', error))
  const raw = encoding === 'plain' ? body : body.on('error', fail).pipe(decompressor(encoding))
  raw.on('error', fail).pipe(verified)
  verified.once('close', () => body.destroy())
  return verified
}

/** A part of what a body is when it is decompressed; what follows it is not read. */
async function* partOf(hash: string, body: Readable, raw: Duplex, { start, end }: BlobRange): AsyncGenerator<Buffer> {
  body.on('error', (error) => raw.destroy(error)).pipe(raw)
  let at = 0
  try {
    for await (const chunk of raw as AsyncIterable<Buffer>) {
      const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end + 1 - at))
      at += chunk.byteLength
      if (part.byteLength > 0) yield part
      if (at > end) return
    }
  } catch (error) {
    throw error instanceof Error && 'errno' in error ? corrupt(hash, 'it cannot be decompressed', error) : error
  } finally {
    body.destroy()
  }
}

/** Passes bytes on, the last piece only once all of them have the right hash. */
function verifier(hash: string): Transform {
  const sum = createHash('sha256')
  let held: Buffer | undefined
  return new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      sum.update(chunk)
      const before = held
      held = chunk
      done(null, before)
    },
    flush(done) {
      if (sum.digest('hex') === hash) done(null, held)
      else done(corrupt(hash, 'its SHA-256 is another'))
    },
  })
}

async function stat(backend: Backend, hash: string): Promise<Blob | undefined> {
  const head = HASH.test(hash) ? await backend.head(hash) : undefined
  return head && { hash, size: parseHeader(hash, head.bytes).size, stored: head.stored }
}

async function touch(backend: Backend, hashes: readonly string[]): Promise<string[]> {
  const missing: string[] = []
  for (let i = 0; i < hashes.length; i += TOUCHES_AT_ONCE) {
    const some = hashes.slice(i, i + TOUCHES_AT_ONCE)
    const found = await Promise.all(some.map(async (hash) => HASH.test(hash) && (await backend.touch(hash)) !== undefined))
    missing.push(...some.filter((_hash, at) => found[at] === false))
  }
  return missing
}

async function pin(backend: Backend): Promise<Pin> {
  const name = `${Date.now()}-${randomUUID()}`
  await backend.pin(name)
  let beating = Promise.resolve()
  // A beat that fails is made up for by the next; ten minutes without one and the store is away for everybody.
  const beat = setInterval(() => {
    beating = backend.pin(name).catch(() => undefined)
  }, BEAT_MS)
  beat.unref()
  return {
    release: async () => {
      clearInterval(beat)
      await beating
      await backend.unpin(name)
    },
  }
}

/**
 * Why nothing that is needed goes: who needs a blob touched it while holding a pin, and names it (where `mark` looks) before letting go. A pin that was there when the pins were read puts the cutoff
 * before its first touch. One that was taken later touched later than the cutoff. One that was released earlier had named its blobs, and `mark` sees them.
 */
async function sweep(backend: Backend, mark: () => Promise<ReadonlySet<string>>, graceMs: number): Promise<Sweep> {
  await backend.recover()
  const now = Date.now()
  const pins = (await backend.pins()).filter(({ at }) => at > now - PIN_MS)
  const started = pins.map(({ name }) => Number.parseInt(name, 10) - PIN_EARLIER_MS)
  const cutoff = Math.min(now, ...started) - graceMs
  const marked = await mark()
  let [removed, bytes, kept] = [0, 0, 0]
  for await (const entry of backend.entries()) {
    if (!marked.has(entry.hash) && entry.at < cutoff && (await backend.remove(entry, cutoff))) {
      removed++
      bytes += entry.stored
    } else kept++
  }
  await backend.tidy(Math.min(cutoff, now - PIN_MS))
  return { removed, bytes, kept }
}

function unknownBlob(hash: string): RefusedError {
  return new RefusedError(`There is no blob "${hash.slice(0, 80)}" in the store.`, { code: 'unknown_blob' })
}
