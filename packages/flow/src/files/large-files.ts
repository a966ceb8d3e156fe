import { createReadStream } from 'node:fs'
import { lstat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { INLINE_BYTES_MAX, RefusedError, UnavailableError, type ContentRef } from '@koco/core'
import type { FileContents, Kept } from '../contents/port.ts'
import { FolderName } from './folder-name.ts'
import { NOTE_BYTES, readNote } from './note.ts'
import { unlessMissing, unlessRefused, type SafeFolder } from './safe-folder.ts'

/** How much of files is kept elsewhere: `named` files, their `bytes`, and what is `stored` for them, equal content once. */
export type KeptFiles = { readonly named: number; readonly bytes: number; readonly stored: number }

const READY_MAX = 1000

/**
 * The files of a folder whose content lies in a content store: a note stands in the place of each. What is put is durable before its note is, and protected until then. What a stranger writes that reads as
 * a note is no note: it goes to the store itself, whatever its size.
 */
export class LargeFiles {
  readonly #folder: SafeFolder
  readonly #contents: FileContents | undefined
  readonly #name: FolderName
  /** Uploads that were put before a run asked for them. */
  readonly #ready = new Map<string, Promise<ContentRef | undefined>>()

  constructor(dir: string, folder: SafeFolder, contents: FileContents | undefined) {
    this.#folder = folder
    this.#contents = contents
    this.#name = new FolderName(dir)
  }

  /** The content that a file names, by its place and its size on disk. */
  async noteAt(parts: readonly string[], size: number): Promise<ContentRef | undefined> {
    if (size !== NOTE_BYTES) return undefined
    const handle = await this.#folder.open(parts).catch((error: unknown) => {
      if (error instanceof RefusedError) return undefined
      throw error
    })
    try {
      return handle && (await this.noteIn(handle, size))
    } finally {
      await handle?.close()
    }
  }

  /** The content that an opened file of this size names. */
  async noteIn(handle: FileHandle, size: number): Promise<ContentRef | undefined> {
    return size === NOTE_BYTES ? readNote((await handle.read(Buffer.alloc(NOTE_BYTES), 0, NOTE_BYTES, 0)).buffer) : undefined
  }

  /** Keeps content that is large, or reads as a note; else gives it back, to be written as it is. */
  async keep(content: AsyncIterable<Uint8Array>): Promise<{ readonly kept: Kept | undefined; readonly content: AsyncIterable<Uint8Array> }> {
    const { small, all } = await beginning(content)
    const forged = small !== undefined && readNote(small) !== undefined
    if (this.#contents?.shared === true && (small === undefined || forged)) return { kept: await this.#keep(all), content: all }
    if (forged) throw new RefusedError('This is a note of koco about a file and not the file: give the file itself.', { code: 'bad_content' })
    return { kept: undefined, content: all }
  }

  /** Begins to keep an upload that is complete: its run starts the sooner. */
  prepare(path: string): void {
    if (this.#contents?.shared !== true || this.#ready.size >= READY_MAX) return
    this.#ready.set(
      path,
      this.#keepFile(path)
        .then((kept) => {
          kept?.named()
          return kept?.content
        })
        // Whoever needs it meets the same fault.
        .catch(() => undefined),
    )
  }

  /** Keeps a stranger's file; undefined for one that is to be filed as it is. */
  async keepUpload(path: string): Promise<Kept | undefined> {
    const ready = await this.#ready.get(path)
    this.#ready.delete(path)
    return (ready && (await this.#contents?.again(ready))) ?? (await this.#keepFile(path))
  }

  /** Takes the content of a note for one more. */
  async again(content: ContentRef): Promise<Kept> {
    await this.#announced()
    const kept = await this.#open().again(content)
    if (!kept)
      throw new RefusedError('The content of this file is not in the content store any more: restore the store from a backup.', { code: 'unknown_blob' })
    return kept
  }

  read(content: ContentRef, range?: { readonly start: number; readonly end: number }): Readable {
    const contents = this.#open()
    const part = range && (range.start > 0 || range.end < content.bytes - 1) ? range : undefined
    async function* bytes(): AsyncGenerator<Buffer> {
      yield* (await contents.open(content, part)) as AsyncIterable<Buffer>
    }
    return Readable.from(bytes(), { objectMode: false, highWaterMark: 256 * 1024 })
  }

  /** What the files of all runs name. UnavailableError when the folder cannot be looked through. */
  async *kept(): AsyncGenerator<ContentRef> {
    for (const fid of await this.#folder.names(['runs'])) {
      for await (const parts of this.#folder.files(['runs', fid], Number.POSITIVE_INFINITY)) {
        const content = await this.noteAt(parts, await this.#sizeOf(parts))
        if (content) yield content
      }
    }
  }

  /** The hashes that the files of all runs name. UnavailableError `files_elsewhere` when other folders name content of this store too: what they name is not known here. */
  async inUse(): Promise<ReadonlySet<string>> {
    const own = await this.#name.read()
    const others = ((await this.#contents?.folders()) ?? []).filter((folder) => folder !== own)
    if (others.length > 0) {
      throw new UnavailableError(
        `Files of runs in another folder than KODO_UPLOAD_DIR name content of this store (folder ${others.join(', ')}): nothing is taken away while that folder is not here. Mount it, or, if it is gone for good, delete that name below "holders" in the content store.`,
        { code: 'files_elsewhere' },
      )
    }
    const hashes = new Set<string>()
    for await (const { sha256 } of this.kept()) hashes.add(sha256)
    return hashes
  }

  async totals(): Promise<KeptFiles> {
    const stored = new Map<string, number>()
    let [named, bytes] = [0, 0]
    for await (const content of this.kept()) {
      named += 1
      bytes += content.bytes
      stored.set(content.sha256, Math.max(content.stored, stored.get(content.sha256) ?? 0))
    }
    return { named, bytes, stored: [...stored.values()].reduce((sum, one) => sum + one, 0) }
  }

  async #keepFile(path: string): Promise<Kept | undefined> {
    const { size } = await lstat(path)
    if (size <= INLINE_BYTES_MAX && size !== NOTE_BYTES) return undefined
    const source = createReadStream(path, { highWaterMark: 1024 * 1024 })
    try {
      if (size > INLINE_BYTES_MAX && this.#contents?.shared !== true) return undefined
      return (await this.keep(source)).kept
    } finally {
      source.destroy()
    }
  }

  async #keep(content: AsyncIterable<Uint8Array>): Promise<Kept> {
    await this.#announced()
    return await this.#open().keep(content)
  }

  async #announced(): Promise<void> {
    await this.#name.announce((name) => this.#open().announce(name))
  }

  async #sizeOf(parts: readonly string[]): Promise<number> {
    const folder = await this.#folder.folder(parts.slice(0, -1)).catch(unlessRefused)
    const found = folder === undefined ? undefined : await lstat(join(folder, parts.at(-1) ?? '')).catch(unlessMissing)
    return found?.size ?? 0
  }

  #open(): FileContents {
    if (this.#contents) return this.#contents
    throw new UnavailableError('The content of this file is in a content store, which is not open here.', { code: 'no_contents' })
  }
}

/** The beginning of content, when that is all of it and short, and all of it. */
async function beginning(content: AsyncIterable<Uint8Array>): Promise<{ readonly small?: Uint8Array; readonly all: AsyncIterable<Uint8Array> }> {
  const iterator = content[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let held = 0
  let over = false
  while (held <= INLINE_BYTES_MAX && !over) {
    const next = await iterator.next()
    over = next.done === true
    if (next.done === true) break
    chunks.push(next.value)
    held += next.value.byteLength
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks.splice(0)
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  if (!over) return { all: all() }
  const small = Buffer.concat(chunks)
  return held > INLINE_BYTES_MAX ? { all: all() } : { small, all: once(small) }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
