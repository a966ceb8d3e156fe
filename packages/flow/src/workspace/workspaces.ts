import type { Stats } from 'node:fs'
import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { must, RefusedError } from '@koco/core'
import { isUserName } from '@koco/storage'
import type { OpenedFile } from '../files/folder.ts'
import { sizeText } from '../files/limits.ts'
import { mediaType } from '../files/media-type.ts'
import { safePath } from '../files/path.ts'
import type { FileContent } from '../files/port.ts'
import { diskError, SafeFolder, unknownFile } from '../files/safe-folder.ts'
import { writeWhole } from '../files/write-whole.ts'
import { defaultWorkspaceLimits, type WorkspaceFile, type WorkspaceKey, type WorkspaceLimits, type WorkspaceUse } from './port.ts'
import { createStaging, type Staging } from './staging.ts'
import { createTurns, type Turns } from './turns.ts'
import { walk } from './walk.ts'

/**
 * The workspaces of sessions below one folder, `<user>/<session id>/…`: what a person and an agent work on together. Paths are checked by `safePath` (RefusedError `bad_path`): nothing is
 * reached outside, nothing through a symbolic link, and names that begin with a dot are a program's own business. Contents are not judged: source code and scripts are files like others.
 */
export class Workspaces {
  readonly limits: WorkspaceLimits
  readonly #folder: SafeFolder
  readonly #staging: Staging
  readonly #turns: Turns = createTurns()

  constructor(dir: string, limits: Partial<WorkspaceLimits> = {}) {
    this.#folder = new SafeFolder(dir)
    this.#staging = createStaging(this.#folder)
    this.limits = { ...defaultWorkspaceLimits, ...limits }
  }

  /** The real path of the workspace, made when it is missing: where programs run, and what is copied. */
  folder(key: WorkspaceKey): Promise<string> {
    return this.#folder.folder(partsOf(key), true)
  }

  /** Its files by path, without hidden ones; at most as many as a workspace may have, the ones deepest in folders left out. */
  async list(key: WorkspaceKey): Promise<readonly WorkspaceFile[]> {
    const found: WorkspaceFile[] = []
    for await (const { names, stats } of walk(this.#folder, partsOf(key))) {
      if (names.some((name) => name.startsWith('.'))) continue
      found.push(described(names.join('/'), stats))
      if (found.length >= this.limits.filesMax) break
    }
    return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** What it holds now, whoever wrote it. */
  async use(key: WorkspaceKey): Promise<WorkspaceUse> {
    let files = 0
    let bytes = 0
    for await (const { stats } of walk(this.#folder, partsOf(key))) {
      files += 1
      bytes += stats.size
    }
    return { files, bytes }
  }

  /** Opens a file: read it, or close it. RefusedError `unknown_file`, also for links. */
  async open(key: WorkspaceKey, text: string): Promise<OpenedFile> {
    const path = safePath(text)
    const handle = await this.#folder.open([...partsOf(key), ...path.split('/')]).catch((error: unknown) => {
      throw error instanceof RefusedError ? unknownFile(path) : error
    })
    const stats = await handle.stat()
    return {
      file: described(path, stats),
      read: (range) => handle.createReadStream({ ...range, highWaterMark: 256 * 1024 }),
      close: () => handle.close(),
    }
  }

  /** The whole content of a file. RefusedError `unknown_file`, or `file_too_large` for one that a program made larger than people may. */
  async read(key: WorkspaceKey, path: string): Promise<Buffer> {
    const opened = await this.open(key, path)
    if (opened.file.size > this.limits.fileBytesMax) {
      await opened.close()
      throw this.#tooLarge(opened.file.path)
    }
    // A program may still be at work on it: no more is read than was looked at.
    const chunks: Buffer[] = []
    for await (const chunk of opened.read({ start: 0, end: Math.max(opened.file.size - 1, 0) })) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }

  /**
   * Writes a file, whole or not at all: readers see the old content until the new one is complete and on disk; its folders are made. Gives up without a trace when `signal` aborts. Writers of
   * this process take turns, so that together they stay within the limits. RefusedError `file_too_large`, `workspace_full`, `too_many_files`, or `bad_path` where a link or a folder is.
   */
  async write(key: WorkspaceKey, text: string, content: FileContent, signal?: AbortSignal): Promise<WorkspaceFile> {
    const path = safePath(text)
    const parts = [...partsOf(key), ...path.split('/')]
    const part = await this.#staging.create()
    try {
      const check = (bytes: number): void => {
        if (bytes > this.limits.fileBytesMax) throw this.#tooLarge(path)
      }
      const size = await writeWhole(part.handle, content, { check, signal })
      return await this.#turns.take(partsOf(key).join('/'), async () => {
        signal?.throwIfAborted()
        await this.#makeRoom(key, path, size, await this.#at(parts))
        await this.#folder.place(part.path, parts)
        return described(path, must(await this.#at(parts), `the file ${path}`))
      })
    } catch (error) {
      await rm(part.path, { force: true })
      throw diskError(error)
    }
  }

  /** Takes a file away; false when there was none. A link is taken away itself, not what it leads to. */
  async remove(key: WorkspaceKey, path: string): Promise<boolean> {
    return this.#folder.remove([...partsOf(key), ...safePath(path).split('/')])
  }

  /** Takes the whole workspace away. */
  async removeAll(key: WorkspaceKey): Promise<void> {
    await this.#folder.removeAll(partsOf(key))
  }

  async #makeRoom(key: WorkspaceKey, path: string, size: number, before: Stats | undefined): Promise<void> {
    if (before?.isSymbolicLink() === true) throw new RefusedError(`"${path}" cannot be written: it is a link. Take it away first.`, { code: 'bad_path' })
    const { bytesMax, filesMax } = this.limits
    const used = await this.use(key)
    if (used.bytes - (before?.size ?? 0) + size > bytesMax) {
      throw new RefusedError(
        `"${path}" has no room: a workspace may have ${sizeText(bytesMax)}, and this one has ${sizeText(used.bytes)}. Take files away first.`,
        {
          code: 'workspace_full',
        },
      )
    }
    if (!before && used.files >= filesMax) {
      throw new RefusedError(`"${path}" would be one file too many: a workspace may have ${filesMax}.`, { code: 'too_many_files' })
    }
  }

  async #at(parts: readonly string[]): Promise<Stats | undefined> {
    const folder = await this.#folder.folder(parts.slice(0, -1)).catch(() => undefined)
    return folder === undefined ? undefined : lstat(join(folder, parts.at(-1) ?? '')).catch(() => undefined)
  }

  #tooLarge(path: string): RefusedError {
    return new RefusedError(`"${path}" is too large: a file of a workspace may have ${sizeText(this.limits.fileBytesMax)}.`, { code: 'file_too_large' })
  }
}

function described(path: string, { size, mtimeMs }: Stats): WorkspaceFile {
  return { path, size, type: mediaType(path), modifiedAt: mtimeMs / 1000 }
}

function partsOf({ user, session }: WorkspaceKey): [string, string] {
  if (!isUserName(user)) throw new RefusedError(`${JSON.stringify(user.slice(0, 80))} is not the name of a user.`, { code: 'bad_path' })
  if (!/^[0-9a-f]{12}$/.test(session)) throw new RefusedError(`${JSON.stringify(session.slice(0, 80))} is not a session id.`, { code: 'bad_path' })
  return [user, session]
}
