import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { buffer } from 'node:stream/consumers'
import { S3Client } from '@aws-sdk/client-s3'
import type { Backend, Entry } from '../backend.ts'
import { HEADER_BYTES, headerBytes, parseHeader } from '../header.ts'
import type { BlobRange, BlobStore } from '../port.ts'
import { createBlobStore, GRACE_MS, underWay } from '../store.ts'
import { s3Error } from './errors.ts'
import { Objects } from './objects.ts'

/**
 * `endpoint`: of a server that is not Amazon's, as https://host:port. `prefix`: what the names of objects begin with, default none. Without keys the client finds them as the AWS tools do.
 * `renewMs`: an object that is used again and older than this is written anew, default 12 h; a sweep's grace is at least twice that.
 */
export type S3Options = {
  readonly bucket: string
  readonly endpoint?: string
  readonly region?: string
  readonly prefix?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly renewMs?: number
}

const RENEW_MS = 12 * 3_600_000
/** How often an object is written anew that is gone right after. */
const RENEWALS_MAX = 3
/** What goes through memory when it is written anew. */
const WHOLE_BYTES_MAX = 16 * 1024 * 1024

/**
 * Blobs in a bucket that several hosts share. An object's age cannot be set, so using an old one again writes it anew: with another nonce, so with another tag, and a sweep deletes an object only
 * under the tag that it saw.
 */
export function createS3Blobs({ bucket, endpoint, region = 'us-east-1', prefix = '', accessKeyId, secretAccessKey, renewMs = RENEW_MS }: S3Options): BlobStore {
  const credentials = accessKeyId !== undefined && secretAccessKey !== undefined ? { credentials: { accessKeyId, secretAccessKey } } : {}
  const client = new S3Client({
    region,
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...credentials,
    maxAttempts: 4,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 120_000, httpsAgent: { maxSockets: 64 }, httpAgent: { maxSockets: 64 } },
  })
  const convert = s3Error(`${endpoint ?? 's3'}/${bucket}`)
  const store = createBlobStore(new S3Backend(client, new Objects(client, bucket), prefix, renewMs))
  const guard =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> =>
      await method(...args).catch((error: unknown) => {
        throw convert(error)
      })
  return {
    put: guard(store.put),
    begin: guard(async (...args: Parameters<BlobStore['begin']>) => {
      const { durable, ...blob } = await store.begin(...args)
      return { ...blob, durable: underWay(guard(() => durable)()) }
    }),
    read: guard(store.read),
    open: guard(store.open),
    stat: guard(store.stat),
    touch: guard(store.touch),
    pin: guard(store.pin),
    announce: guard(store.announce),
    holders: guard(store.holders),
    sweep: guard((mark: Parameters<BlobStore['sweep']>[0], options) => store.sweep(mark, { graceMs: Math.max(2 * renewMs, options?.graceMs ?? GRACE_MS) })),
    close: store.close,
  }
}

class S3Backend implements Backend {
  readonly #client: S3Client
  readonly #objects: Objects
  readonly #prefix: string
  readonly #renewMs: number
  #folder: Promise<string> | undefined

  constructor(client: S3Client, objects: Objects, prefix: string, renewMs: number) {
    this.#client = client
    this.#objects = objects
    this.#prefix = prefix
    this.#renewMs = renewMs
  }

  async touch(hash: string): Promise<number | undefined> {
    const found = await this.#objects.head(this.#key(hash))
    if (!found || Date.now() - found.at < this.#renewMs) return found?.size
    return (await this.#renew(hash)) ? found.size : undefined
  }

  async load(hash: string): Promise<Buffer | undefined> {
    const found = await this.#objects.get(this.#key(hash))
    return found && (await buffer(found.body))
  }

  async head(hash: string): Promise<{ bytes: Uint8Array; stored: number } | undefined> {
    const found = await this.#objects.get(this.#key(hash), 0, HEADER_BYTES - 1)
    return found && { bytes: await buffer(found.body), stored: found.size }
  }

  async body(hash: string, range?: BlobRange): Promise<Readable | undefined> {
    return (await this.#objects.get(this.#key(hash), HEADER_BYTES + (range?.start ?? 0), range && HEADER_BYTES + range.end))?.body
  }

  async keep(hash: string, parts: readonly Uint8Array[]): Promise<void> {
    await this.#objects.put(this.#key(hash), Buffer.concat(parts))
  }

  async keepFile(hash: string, path: string): Promise<void> {
    await this.#objects.putFile(this.#key(hash), path)
    await rm(path)
  }

  async scratch(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'koco-blobs-'))
    const folder = await this.#folder
    await mkdir(folder, { recursive: true })
    return join(folder, randomUUID())
  }

  async pin(name: string): Promise<void> {
    await this.#objects.put(`${this.#prefix}pins/${name}`, new Uint8Array())
  }

  async unpin(name: string): Promise<void> {
    await this.#objects.delete(`${this.#prefix}pins/${name}`)
  }

  async pins(): Promise<{ name: string; at: number }[]> {
    const found = []
    for await (const { key, at } of this.#objects.list(`${this.#prefix}pins/`)) found.push({ name: basename(key), at })
    return found
  }

  async announce(holder: string): Promise<void> {
    await this.#objects.put(`${this.#prefix}holders/${holder}`, new Uint8Array())
  }

  async holders(): Promise<readonly string[]> {
    const found = []
    for await (const { key } of this.#objects.list(`${this.#prefix}holders/`)) found.push(basename(key))
    return found
  }

  async *entries(): AsyncGenerator<Entry> {
    for await (const { key, size, at, tag } of this.#objects.list(`${this.#prefix}blobs/`)) yield { hash: basename(key), stored: size, at, tag }
  }

  async remove({ hash, tag }: Entry): Promise<boolean> {
    return await this.#objects.delete(this.#key(hash), tag ?? undefined)
  }

  recover(): Promise<void> {
    return Promise.resolve()
  }

  async tidy(cutoff: number): Promise<void> {
    for (const { name, at } of await this.pins()) if (at < cutoff) await this.unpin(name)
  }

  async close(): Promise<void> {
    this.#client.destroy()
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true })
  }

  /** Writes an object again; false when it went meanwhile. */
  async #renew(hash: string): Promise<boolean> {
    const found = await this.#objects.get(this.#key(hash))
    if (!found) return false
    if (found.size <= WHOLE_BYTES_MAX) {
      const stored = await buffer(found.body)
      return await this.#untilThere(hash, () => this.keep(hash, [headerBytes(parseHeader(hash, stored)), stored.subarray(HEADER_BYTES)]))
    }
    const path = await this.scratch()
    try {
      await pipeline(found.body, createWriteStream(path))
      await renewHeader(hash, path)
      return await this.#untilThere(hash, () => this.#objects.putFile(this.#key(hash), path))
    } finally {
      await rm(path, { force: true })
    }
  }

  /** Some servers look at the tag first and delete then: a sweep's delete that looked before this write takes it away just after it. So it is looked for, and written again. */
  async #untilThere(hash: string, write: () => Promise<void>): Promise<boolean> {
    for (let written = 0; written < RENEWALS_MAX; written += 1) {
      await write()
      if (await this.#objects.head(this.#key(hash))) return true
    }
    return false
  }

  #key(hash: string): string {
    return `${this.#prefix}blobs/${hash.slice(0, 3)}/${hash}`
  }
}

async function renewHeader(hash: string, path: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    const { buffer: bytes } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
    await handle.write(headerBytes(parseHeader(hash, bytes)), 0, HEADER_BYTES, 0)
  } finally {
    await handle.close()
  }
}
