import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, realpath, rename, rm, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { RefusedError, UnavailableError } from '@koco/core'

/** A folder whose content is reached by lists of names only, and never through a symbolic link: what lies in it may have been put there by a stranger's code. */
export class SafeFolder {
  readonly #dir: string
  #real: Promise<string> | undefined

  /** Made when it is missing, at the first use. */
  constructor(dir: string) {
    this.#dir = dir
  }

  /** The real path of the folder below; each part of it a real folder. `make`: parts that are missing are made. RefusedError `unknown_file` else. */
  async folder(parts: readonly string[], make = false): Promise<string> {
    let path = await this.#root()
    for (const part of parts) {
      path = join(path, part)
      if (make) await mkdir(path).catch(unlessExists)
      const found = await lstat(path).catch(unlessMissing)
      if (found?.isDirectory() !== true) throw unknownFile(parts.join('/'))
    }
    return path
  }

  /** Opens a plain file for reading. RefusedError `unknown_file` for links, folders, pipes and what is not there. */
  async open(parts: readonly string[]): Promise<FileHandle> {
    const folder = await this.folder(parts.slice(0, -1))
    const handle = await open(join(folder, parts.at(-1) ?? ''), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'ENAMETOOLONG')) throw unknownFile(parts.join('/'))
      throw diskError(error)
    })
    try {
      // A folder that was swapped for a link between the look and the opening.
      const plain = (await handle.stat()).isFile() && (await realpath(folder)) === folder
      if (!plain) throw unknownFile(parts.join('/'))
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** A new file of this name. */
  async create(parts: readonly string[]): Promise<{ readonly path: string; readonly handle: FileHandle }> {
    const folder = await this.folder(parts.slice(0, -1), true)
    const path = join(folder, parts.at(-1) ?? '')
    const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o640).catch(toDiskError)
    return { path, handle }
  }

  /** Puts a finished file at its place, over what was there, and on disk. RefusedError `bad_path` when a folder is there. */
  async place(path: string, parts: readonly string[]): Promise<void> {
    const folder = await this.folder(parts.slice(0, -1), true).catch((error: unknown) => {
      if (error instanceof RefusedError || isCode(error, 'ENOTDIR')) throw taken(parts)
      throw diskError(error)
    })
    try {
      await rename(path, join(folder, parts.at(-1) ?? ''))
    } catch (error) {
      if (isCode(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST')) throw taken(parts)
      throw diskError(error)
    }
    const handle = await open(folder, constants.O_RDONLY).catch(toDiskError)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** The plain files below a folder, at most `max`, each as its names; none when it is not there. Links are passed over. */
  async *files(parts: readonly string[], max: number): AsyncGenerator<readonly string[]> {
    let count = 0
    const queue: (readonly string[])[] = [parts]
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const folder = await this.folder(at).catch(unlessRefused)
      const entries = folder === undefined ? [] : await readdir(folder, { withFileTypes: true }).catch(unlessMissing)
      for (const entry of entries ?? []) {
        if (entry.name.startsWith('.')) continue
        if (entry.isDirectory()) queue.push([...at, entry.name])
        else if (entry.isFile()) {
          if (++count > max) return
          yield [...at, entry.name]
        }
      }
    }
  }

  /** The names in a folder that do not begin with a dot; none when it is not there. */
  async names(parts: readonly string[]): Promise<readonly string[]> {
    const folder = await this.folder(parts).catch(unlessRefused)
    const names = folder === undefined ? [] : await readdir(folder).catch(unlessMissing)
    return (names ?? []).filter((name) => !name.startsWith('.'))
  }

  /** Takes a file away; false when there was none. A link is taken away itself, not what it leads to. */
  async remove(parts: readonly string[]): Promise<boolean> {
    const folder = await this.folder(parts.slice(0, -1)).catch(() => undefined)
    if (folder === undefined) return false
    return unlink(join(folder, parts.at(-1) ?? '')).then(
      () => true,
      (error: unknown) => {
        if (isCode(error, 'ENOENT', 'EISDIR', 'EPERM')) return false
        throw diskError(error)
      },
    )
  }

  /** Takes a whole folder away. */
  async removeAll(parts: readonly string[]): Promise<void> {
    const folder = await this.folder(parts.slice(0, -1)).catch(() => undefined)
    if (folder !== undefined) await rm(join(folder, parts.at(-1) ?? ''), { recursive: true, force: true })
  }

  #root(): Promise<string> {
    this.#real ??= mkdir(this.#dir, { recursive: true })
      .then(() => realpath(this.#dir))
      .catch((error: unknown) => {
        this.#real = undefined
        throw diskError(error)
      })
    return this.#real
  }
}

/** Says that there is no such file. */
export function unknownFile(path: string): RefusedError {
  return new RefusedError(`There is no file "${path.slice(0, 200)}".`, { code: 'unknown_file' })
}

/** What the disk refused, as an error that says what to do; our own errors as they are. */
export function diskError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error
  const why = isCode(error, 'ENOSPC', 'EDQUOT')
    ? 'The disk of KODO_UPLOAD_DIR or KODO_WORKSPACE_DIR is full'
    : `A file could not be kept (${String(error.code)})`
  return new UnavailableError(`${why}: free some space, or check the folder and its rights.`, { code: 'disk', cause: error })
}

/** True for an error of the system with one of these codes. */
export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

function toDiskError(error: unknown): never {
  throw diskError(error)
}

function taken(parts: readonly string[]): RefusedError {
  const path = parts.slice(2).join('/')
  return new RefusedError(`"${path}" cannot be written: a part of it is a folder where a file is wanted, a file where a folder is, or a link.`, {
    code: 'bad_path',
  })
}

/** Undefined for what was refused; other errors as they are. */
export function unlessRefused(error: unknown): undefined {
  if (!(error instanceof RefusedError)) throw error
}

/** Undefined for what is not there; other errors of the disk as `diskError` says them. */
export function unlessMissing(error: unknown): undefined {
  if (!isCode(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) throw diskError(error)
}

function unlessExists(error: unknown): void {
  if (!isCode(error, 'EEXIST')) throw diskError(error)
}
