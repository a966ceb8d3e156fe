import { randomUUID } from 'node:crypto'
import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { isFid, must, RefusedError } from '@koco/core'
import { fileTooLarge, runFilesTooLarge, tooManyFiles } from './limits.ts'
import { mediaType } from './media-type.ts'
import { FILE_SIDES, sidedPath, type FileSide } from './path.ts'
import { defaultFileLimits, type FileContent, type FileLimits, type FileStore, type RunFile } from './port.ts'
import { diskError, SafeFolder, unknownFile } from './safe-folder.ts'
import { writeWhole } from './write-whole.ts'

/** An opened file: read it, or close it. */
export type OpenedFile = { readonly file: RunFile; read(range?: { readonly start: number; readonly end: number }): Readable; close(): Promise<void> }

type Held = { bytes: number; files: number }

const RUNS_REMEMBERED = 1000

/**
 * The files of runs below one folder, `runs/<fid>/{in,out}/…`. Nothing in it is reached through a symbolic link, and what is being written is not seen. What a run holds is counted by the
 * process that writes it.
 */
export class FileFolder implements FileStore {
  readonly #folder: SafeFolder
  readonly #limits: FileLimits
  readonly #held = new Map<string, Held>()

  constructor(dir: string, limits: Partial<FileLimits> = {}) {
    this.#folder = new SafeFolder(dir)
    this.#limits = { ...defaultFileLimits, ...limits }
  }

  async list(fid: string, side?: FileSide): Promise<readonly RunFile[]> {
    const found: RunFile[] = []
    for (const one of side === undefined ? FILE_SIDES : [side]) {
      for await (const names of this.#folder.files([...runFolder(fid), one], 2 * this.#limits.filesMax)) {
        const file = await this.#describe(names)
        if (file) found.push(file)
      }
    }
    return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  async open(fid: string, path: string): Promise<{ readonly file: RunFile; readonly content: Readable }> {
    const opened = await this.openFile(fid, path)
    return { file: opened.file, content: opened.read() }
  }

  /** As `open`, for who wants a part of the file or only its description. */
  async openFile(fid: string, text: string): Promise<OpenedFile> {
    const { path } = sidedPath(text)
    const handle = await this.#folder.open([...runFolder(fid), ...path.split('/')]).catch((error: unknown) => {
      throw error instanceof RefusedError ? unknownFile(path) : error
    })
    const { size, mtimeMs } = await handle.stat()
    return {
      file: { path, size, type: mediaType(path), modifiedAt: mtimeMs / 1000 },
      read: (range) => handle.createReadStream({ ...range, highWaterMark: 256 * 1024 }),
      close: () => handle.close(),
    }
  }

  async write(fid: string, text: string, content: FileContent, signal?: AbortSignal): Promise<RunFile> {
    const { side, path } = sidedPath(text)
    if (side === 'in') throw new RefusedError(`"${path}" was given to the run and stays as it is: write to "out/".`, { code: 'read_only' })
    const parts = [...runFolder(fid), ...path.split('/')]
    const held = await this.#heldBy(fid)
    const before = await this.#describe(parts)
    if (!before && held.files >= this.#limits.filesMax) throw tooManyFiles(this.#limits)
    const part = await this.#folder.create([...runFolder(fid), '.part', randomUUID()])
    try {
      const left = this.#limits.runBytesMax - held.bytes + (before?.size ?? 0)
      const size = await writeWhole(part.handle, content, { check: (bytes) => this.#check(path, bytes, left), signal })
      signal?.throwIfAborted()
      await this.#folder.place(part.path, parts)
      held.bytes += size - (before?.size ?? 0)
      held.files += before ? 0 : 1
      return must(await this.#describe(parts), `the file ${path}`)
    } catch (error) {
      await rm(part.path, { force: true })
      throw diskError(error)
    }
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

  /** Where a file given to the run is to be put by who puts it there: its folders are made. */
  async placeFor(fid: string, path: string): Promise<string> {
    const parts = path.split('/')
    return join(await this.#folder.folder([...runFolder(fid), ...parts.slice(0, -1)], true), parts.at(-1) ?? '')
  }

  #check(path: string, size: number, left: number): void {
    if (size > this.#limits.fileBytesMax) throw fileTooLarge(path, this.#limits)
    if (size > left) throw runFilesTooLarge(this.#limits)
  }

  async #describe(parts: readonly string[]): Promise<RunFile | undefined> {
    const folder = await this.#folder.folder(parts.slice(0, -1)).catch(() => undefined)
    const found = folder === undefined ? undefined : await lstat(join(folder, parts.at(-1) ?? '')).catch(() => undefined)
    if (found?.isFile() !== true) return undefined
    const path = parts.slice(2).join('/')
    return { path, size: found.size, type: mediaType(path), modifiedAt: found.mtimeMs / 1000 }
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

function runFolder(fid: string): string[] {
  if (!isFid(fid)) throw new RefusedError(`"${fid.slice(0, 80)}" is not a run id.`, { code: 'bad_path' })
  return ['runs', fid]
}
