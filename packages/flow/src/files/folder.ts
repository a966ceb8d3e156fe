import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, copyFile, link, lstat, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { isFid, must, RefusedError, type ContentRef } from '@koco/core'
import type { FileContents } from '../contents/port.ts'
import { LargeFiles, type KeptFiles } from './large-files.ts'
import { fileTooLarge, runFilesTooLarge, tooManyFiles } from './limits.ts'
import { mediaType } from './media-type.ts'
import { noteOf } from './note.ts'
import { FILE_SIDES, sidedPath, type FileSide } from './path.ts'
import { defaultFileLimits, type FileContent, type FileLimits, type FileStore, type RunFile } from './port.ts'
import { diskError, SafeFolder, unknownFile } from './safe-folder.ts'
import { piecesOf, writeWhole, type Watch } from './write-whole.ts'

/** An opened file: read it, or close it. */
export type OpenedFile = { readonly file: RunFile; read(range?: { readonly start: number; readonly end: number }): Readable; close(): Promise<void> }

/** Where a file that is given to a run comes from: the bytes of an upload, or a file of a run. */
export type GivenFrom = { readonly upload: string } | { readonly fid: string; readonly path: string }

type Held = { bytes: number; files: number }

/** `stored`: what it takes on disk, or in the content store. */
type Found = { readonly file: RunFile; readonly stored: number; readonly content: ContentRef | undefined }

const RUNS_REMEMBERED = 1000

/**
 * The files of runs below one folder, `runs/<fid>/{in,out}/…`; with `contents` the large ones keep their bytes there, equal ones once, and have a note in their place. Nothing in it is reached through a
 * symbolic link, and what is being written is not seen. What a run holds is counted by the process that writes it.
 */
export class FileFolder implements FileStore {
  readonly #folder: SafeFolder
  readonly #large: LargeFiles
  readonly #limits: FileLimits
  readonly #held = new Map<string, Held>()

  constructor(dir: string, limits: Partial<FileLimits> = {}, contents?: FileContents) {
    this.#folder = new SafeFolder(dir)
    this.#large = new LargeFiles(dir, this.#folder, contents)
    this.#limits = { ...defaultFileLimits, ...limits }
  }

  async list(fid: string, side?: FileSide): Promise<readonly RunFile[]> {
    return (await this.#find(fid, side)).map(({ file }) => file)
  }

  /** What the files of a run take, on disk and in the content store. */
  async storedBytes(fid: string): Promise<number> {
    return (await this.#find(fid)).reduce((sum, { stored }) => sum + stored, 0)
  }

  /** What the files of all runs have in the content store. */
  keptFiles(): Promise<KeptFiles> {
    return this.#large.totals()
  }

  /** The hashes that files of runs name in the content store; a collection must leave them. UnavailableError `files_elsewhere`. */
  contentsInUse(): Promise<ReadonlySet<string>> {
    return this.#large.inUse()
  }

  async #find(fid: string, side?: FileSide): Promise<readonly Found[]> {
    const found: Found[] = []
    for (const one of side === undefined ? FILE_SIDES : [side]) {
      for await (const names of this.#folder.files([...runFolder(fid), one], 2 * this.#limits.filesMax)) {
        const file = await this.#look(names)
        if (file) found.push(file)
      }
    }
    return found.toSorted(({ file: a }, { file: b }) => (a.path < b.path ? -1 : 1))
  }

  async open(fid: string, path: string): Promise<{ readonly file: RunFile; readonly content: Readable }> {
    const opened = await this.openFile(fid, path)
    return { file: opened.file, content: opened.read() }
  }

  /** As `open`, for who wants a part of the file or only its description. */
  async openFile(fid: string, text: string): Promise<OpenedFile> {
    const { path } = sidedPath(text)
    const parts = [...runFolder(fid), ...path.split('/')]
    const handle = await this.#folder.open(parts).catch((error: unknown) => {
      throw error instanceof RefusedError ? unknownFile(path) : error
    })
    const { size, mtimeMs } = await handle.stat()
    const content = await this.#large.noteIn(handle, size)
    const file = { path, size: content?.bytes ?? size, type: mediaType(path), modifiedAt: mtimeMs / 1000 }
    if (content) {
      await handle.close()
      return { file, read: (range) => this.#large.read(content, range), close: () => Promise.resolve() }
    }
    return {
      file,
      read: (range) => handle.createReadStream({ ...range, highWaterMark: 256 * 1024 }),
      close: () => handle.close(),
    }
  }

  async write(fid: string, text: string, content: FileContent, signal?: AbortSignal): Promise<RunFile> {
    const { side, path } = sidedPath(text)
    if (side === 'in') throw new RefusedError(`"${path}" was given to the run and stays as it is: write to "out/".`, { code: 'read_only' })
    const parts = [...runFolder(fid), ...path.split('/')]
    const held = await this.#heldBy(fid)
    const before = (await this.#look(parts))?.file
    if (!before && held.files >= this.#limits.filesMax) throw tooManyFiles(this.#limits)
    const left = this.#limits.runBytesMax - held.bytes + (before?.size ?? 0)
    await this.#put(fid, parts, content, { check: (bytes) => this.#check(path, bytes, left), signal })
    const { file } = must(await this.#look(parts), `the file ${path}`)
    held.bytes += file.size - (before?.size ?? 0)
    held.files += before ? 0 : 1
    return file
  }

  /** Files what comes from elsewhere under a path of the run that is free, read-only: its bytes are kept once. */
  async give(fid: string, path: string, from: GivenFrom): Promise<void> {
    const to = await this.#placeFor(fid, path)
    this.#held.delete(fid)
    const source = 'upload' in from ? from.upload : await this.#placeFor(from.fid, from.path)
    const kept = 'upload' in from ? await this.#large.keepUpload(source) : await this.#again(from.fid, from.path)
    try {
      if (!kept || !('upload' in from)) return await share(source, to)
      const part = await this.#folder.create([...runFolder(fid), '.part', randomUUID()])
      try {
        await writeWhole(part.handle, noteOf(kept.content))
        await share(part.path, to)
      } finally {
        await rm(part.path, { force: true })
      }
    } finally {
      kept?.named()
    }
  }

  /** Tells of an upload that is complete and will be given to a run: what takes long of that may begin. */
  prepare(upload: string): void {
    this.#large.prepare(upload)
  }

  /** Takes a file away; false when there was none. */
  async remove(fid: string, path: string): Promise<boolean> {
    this.#held.delete(fid)
    return this.#folder.remove([...runFolder(fid), ...sidedPath(path).path.split('/')])
  }

  /** Takes all files of a run away. */
  async removeAll(fid: string): Promise<void> {
    this.#held.delete(fid)
    await this.#folder.removeAll(runFolder(fid))
  }

  async #put(fid: string, parts: readonly string[], content: FileContent, watch: Watch): Promise<void> {
    const { kept, ...plain } = await this.#large.keep(piecesOf(content, watch)).catch((error: unknown) => {
      throw diskError(error)
    })
    try {
      const part = await this.#folder.create([...runFolder(fid), '.part', randomUUID()])
      try {
        await writeWhole(part.handle, kept ? noteOf(kept.content) : plain.content)
        watch.signal?.throwIfAborted()
        await this.#folder.place(part.path, parts)
      } catch (error) {
        await rm(part.path, { force: true })
        throw diskError(error)
      }
    } finally {
      kept?.named()
    }
  }

  async #again(fid: string, path: string) {
    const found = await this.#look([...runFolder(fid), ...path.split('/')])
    return found?.content && (await this.#large.again(found.content))
  }

  async #placeFor(fid: string, path: string): Promise<string> {
    const parts = path.split('/')
    return join(await this.#folder.folder([...runFolder(fid), ...parts.slice(0, -1)], true), parts.at(-1) ?? '')
  }

  #check(path: string, size: number, left: number): void {
    if (size > this.#limits.fileBytesMax) throw fileTooLarge(path, this.#limits)
    if (size > left) throw runFilesTooLarge(this.#limits)
  }

  async #look(parts: readonly string[]): Promise<Found | undefined> {
    const folder = await this.#folder.folder(parts.slice(0, -1)).catch(() => undefined)
    const found = folder === undefined ? undefined : await lstat(join(folder, parts.at(-1) ?? '')).catch(() => undefined)
    if (found?.isFile() !== true) return undefined
    const path = parts.slice(2).join('/')
    const content = await this.#large.noteAt(parts, found.size)
    const file = { path, size: content?.bytes ?? found.size, type: mediaType(path), modifiedAt: found.mtimeMs / 1000 }
    return { file, stored: content?.stored ?? found.size, content }
  }

  async #heldBy(fid: string): Promise<Held> {
    const known = this.#held.get(fid)
    if (known) return known
    const files = await this.list(fid, 'out')
    const held = { bytes: files.reduce((sum, one) => sum + one.size, 0), files: files.length }
    const oldest = this.#held.keys().next()
    if (this.#held.size >= RUNS_REMEMBERED && !oldest.done) this.#held.delete(oldest.value)
    this.#held.set(fid, held)
    return held
  }
}

/** Makes the bytes at `from` a file at `to` too, read-only. */
async function share(from: string, to: string): Promise<void> {
  const handle = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    await handle.sync()
    // The disk holds it once; a disk that cannot do that gets a copy.
    await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_EXCL))
    await chmod(to, 0o440)
  } finally {
    await handle.close()
  }
}

function runFolder(fid: string): string[] {
  if (!isFid(fid)) throw new RefusedError(`"${fid.slice(0, 80)}" is not a run id.`, { code: 'bad_path' })
  return ['runs', fid]
}
