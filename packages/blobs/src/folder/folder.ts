import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Backend, Entry } from '../backend.ts'
import { HEADER_BYTES } from '../header.ts'
import type { BlobRange, BlobStore, CrashPoint } from '../port.ts'
import { createBlobStore } from '../store.ts'
import { makeFolder, makeFolders, writeDurably } from './durable.ts'
import { diskError, isCode } from './errors.ts'
import { FolderSyncs } from './folder-syncs.ts'

/** `dir`: made when it is missing. `crash`: for crash tests. */
export type FolderOptions = { readonly dir: string; readonly crash?: CrashPoint }

/**
 * Blobs in a folder: `blobs/<2 hex digits>/<hash>`, written to `tmp/`, synced, renamed into place, the folder synced. Several processes may share it.
 * A sweep first moves what it removes to `trash/` and looks at it there again: whoever touched it meanwhile gets it back, and readers find it there too.
 */
export function createFolderBlobs(options: FolderOptions): BlobStore {
  const dir = resolve(options.dir)
  return createBlobStore(guarded(new FolderBackend(dir, options.crash ?? (() => undefined)), diskError(dir)))
}

/** A name that was written so recently may not be on disk yet, if another process wrote it. */
const YOUNG_MS = 60_000
/** How many blobs a process remembers as being on disk under their names. */
const REMEMBERED_MAX = 200_000
/** 256 folders: a million blobs are 4,000 a folder, which file systems find by an index. */
const SHARD_DIGITS = 2
const SHARDS = Array.from({ length: 16 ** SHARD_DIGITS }, (_none, i) => i.toString(16).padStart(SHARD_DIGITS, '0'))
const EMPTY: readonly string[] = []

class FolderBackend implements Backend {
  readonly #dir: string
  readonly #crash: CrashPoint
  readonly #made = new Map<string, Promise<string>>()
  readonly #syncs = new FolderSyncs()
  /** Which file a hash's name was last known to stand for on disk; another file under it is another writer's. */
  readonly #onDisk = new Map<string, string>()

  constructor(dir: string, crash: CrashPoint) {
    this.#dir = dir
    this.#crash = crash
  }

  async touch(hash: string): Promise<number | undefined> {
    const path = this.#path(hash)
    try {
      const { size, ctimeMs, birthtimeMs, ino } = await stat(path)
      const now = new Date()
      await utimes(path, now, now)
      // An inode's number is given out again, a birth is not.
      const file = `${ino}-${birthtimeMs}`
      if (this.#onDisk.get(hash) !== file) {
        if (now.getTime() - ctimeMs < YOUNG_MS) await this.#syncs.sync(dirname(path))
        if (this.#onDisk.size >= REMEMBERED_MAX) this.#onDisk.clear()
        this.#onDisk.set(hash, file)
      }
      return size
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined
      throw error
    }
  }

  async load(hash: string): Promise<Buffer | undefined> {
    return await this.#find(hash, async (path) => await readFile(path))
  }

  async head(hash: string): Promise<{ bytes: Uint8Array; stored: number } | undefined> {
    return await this.#find(hash, async (path) => {
      const handle = await open(path)
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
        return { bytes: buffer.subarray(0, bytesRead), stored: (await handle.stat()).size }
      } finally {
        await handle.close()
      }
    })
  }

  async body(hash: string, range?: BlobRange) {
    const part = { start: HEADER_BYTES + (range?.start ?? 0), ...(range && { end: HEADER_BYTES + range.end }) }
    return await this.#find(hash, async (path) => {
      const handle = await open(path)
      return createReadStream('', { fd: handle, ...part, highWaterMark: 1024 * 1024 })
    })
  }

  async keep(hash: string, parts: readonly Uint8Array[]): Promise<void> {
    const path = await this.scratch()
    await writeDurably(path, parts)
    await this.#place(hash, path)
  }

  async keepFile(hash: string, path: string): Promise<void> {
    await this.#place(hash, path)
  }

  async scratch(): Promise<string> {
    return join(await this.#folder('tmp'), randomUUID())
  }

  async pin(name: string): Promise<void> {
    await writeFile(join(await this.#folder('pins'), name), '')
    const now = new Date()
    await utimes(join(this.#dir, 'pins', name), now, now)
  }

  async unpin(name: string): Promise<void> {
    await unlink(join(this.#dir, 'pins', name)).catch(unlessMissing)
  }

  async pins(): Promise<{ name: string; at: number }[]> {
    const found = []
    for (const name of await this.#names('pins')) {
      const known = await stat(join(this.#dir, 'pins', name)).catch(unlessMissing)
      if (known) found.push({ name, at: known.mtimeMs })
    }
    return found
  }

  async announce(holder: string): Promise<void> {
    const folder = await this.#folder('holders')
    await writeFile(join(folder, holder), '', { flush: true })
    await this.#syncs.sync(folder)
  }

  async holders(): Promise<readonly string[]> {
    return await this.#names('holders')
  }

  async *entries(): AsyncGenerator<Entry> {
    for (const shard of await this.#names('blobs')) {
      for (const hash of await this.#names(join('blobs', shard))) {
        const known = await stat(join(this.#dir, 'blobs', shard, hash)).catch(unlessMissing)
        if (known?.isFile() === true) yield { hash, stored: known.size, at: known.mtimeMs, tag: null }
      }
    }
  }

  async remove({ hash }: Entry, cutoff: number): Promise<boolean> {
    const trash = join(await this.#folder('trash'), hash)
    try {
      await rename(this.#path(hash), trash)
      this.#crash('sweep:trashed')
      if ((await stat(trash)).mtimeMs >= cutoff) {
        await rename(trash, this.#path(hash))
        return false
      }
      await unlink(trash)
      this.#crash('sweep:removed')
      return true
    } catch (error) {
      // Another sweep was first.
      if (isCode(error, 'ENOENT')) return false
      throw error
    }
  }

  async recover(): Promise<void> {
    for (const hash of await this.#names('trash')) {
      await this.#shards()
      await rename(join(this.#dir, 'trash', hash), this.#path(hash)).catch(unlessMissing)
    }
  }

  async tidy(cutoff: number): Promise<void> {
    for (const folder of ['tmp', 'pins']) {
      for (const name of await this.#names(folder)) {
        const path = join(this.#dir, folder, name)
        const known = await stat(path).catch(unlessMissing)
        if (known && known.mtimeMs < cutoff) await unlink(path).catch(unlessMissing)
      }
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #place(hash: string, path: string): Promise<void> {
    this.#crash('put:written')
    await this.#shards()
    await rename(path, this.#path(hash))
    this.#crash('put:placed')
    await this.#syncs.sync(dirname(this.#path(hash)))
  }

  /** Where a blob is, or while a sweep looks at it again: there. */
  async #find<T>(hash: string, look: (path: string) => Promise<T>): Promise<T | undefined> {
    for (const path of [this.#path(hash), join(this.#dir, 'trash', hash), this.#path(hash)]) {
      try {
        return await look(path)
      } catch (error) {
        if (!isCode(error, 'ENOENT')) throw error
      }
    }
    return undefined
  }

  #path(hash: string): string {
    return join(this.#dir, 'blobs', hash.slice(0, SHARD_DIGITS), hash)
  }

  /** The folders of blobs are there and their names on disk. All at once, before this process's first blob: made one by one as blobs needed them, each cost the first few hundred blobs a wait for the disk. */
  async #shards(): Promise<void> {
    await this.#once('blobs', (path) => makeFolders(path, SHARDS, (folder) => this.#syncs.sync(folder)))
  }

  #folder(name: string): Promise<string> {
    return this.#once(name, (path) => makeFolder(path, (folder) => this.#syncs.sync(folder)))
  }

  #once(name: string, make: (path: string) => Promise<void>): Promise<string> {
    let made = this.#made.get(name)
    if (!made) {
      const path = join(this.#dir, name)
      made = make(path).then(() => path)
      made.catch(() => this.#made.delete(name))
      this.#made.set(name, made)
    }
    return made
  }

  async #names(folder: string): Promise<readonly string[]> {
    return (await readdir(join(this.#dir, folder)).catch(unlessMissing)) ?? EMPTY
  }
}

function unlessMissing(error: unknown): undefined {
  if (!isCode(error, 'ENOENT')) throw error
}

function guarded(backend: Backend, convert: (error: unknown) => unknown): Backend {
  const fail = (error: unknown): never => {
    throw convert(error)
  }
  return {
    touch: (hash) => backend.touch(hash).catch(fail),
    load: (hash) => backend.load(hash).catch(fail),
    head: (hash) => backend.head(hash).catch(fail),
    body: (hash, range) => backend.body(hash, range).catch(fail),
    keep: (hash, parts) => backend.keep(hash, parts).catch(fail),
    keepFile: (hash, path) => backend.keepFile(hash, path).catch(fail),
    scratch: () => backend.scratch().catch(fail),
    pin: (name) => backend.pin(name).catch(fail),
    unpin: (name) => backend.unpin(name).catch(fail),
    pins: () => backend.pins().catch(fail),
    announce: (holder) => backend.announce(holder).catch(fail),
    holders: () => backend.holders().catch(fail),
    entries: () => backend.entries(),
    remove: (entry, cutoff) => backend.remove(entry, cutoff).catch(fail),
    recover: () => backend.recover().catch(fail),
    tidy: (cutoff) => backend.tidy(cutoff).catch(fail),
    close: () => backend.close(),
  }
}
