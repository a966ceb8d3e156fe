import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Upload } from '@tus/server'

const ID = /^[0-9a-f]{32}$/

/** What is kept of an upload. `name`: the path that it is to have in a run. Times are unix seconds; `activeAt`: when bytes came last. `placed`: the run's file that it has become. */
export type UploadRecord = {
  readonly id: string
  readonly owner: string
  readonly name: string
  readonly size: number
  readonly offset: number
  readonly activeAt: number
  readonly placed: { readonly fid: string; readonly path: string } | null
}

/** A new id that cannot be guessed. */
export function newUploadId(): string {
  return randomBytes(16).toString('hex')
}

/** True for what can be the id of an upload. */
export function isUploadId(text: string): boolean {
  return ID.test(text)
}

/** The records of uploads beside their bytes, `<id>.json` by `<id>`: the tus server keeps its own in them, each is replaced as a whole. */
export class UploadRecords {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Where the bytes are. */
  pathOf(id: string): string {
    return join(this.#dir, id)
  }

  // The four calls that the tus server makes.
  async get(id: string): Promise<Upload | undefined> {
    if (!isUploadId(id)) return undefined
    const text = await readFile(`${this.pathOf(id)}.json`, 'utf8').catch(() => undefined)
    try {
      return text === undefined ? undefined : (JSON.parse(text) as Upload)
    } catch {
      // Cut off by a crash: as if it had never begun; the sweep takes it away.
      return undefined
    }
  }

  async set(id: string, upload: Upload): Promise<void> {
    const part = `${this.pathOf(id)}.${randomBytes(4).toString('hex')}.part`
    await writeFile(part, JSON.stringify(upload))
    await rename(part, `${this.pathOf(id)}.json`)
  }

  async delete(id: string): Promise<void> {
    await rm(`${this.pathOf(id)}.json`, { force: true })
  }

  async list(): Promise<string[]> {
    return [...new Set((await this.names()).map((name) => name.slice(0, 32)).filter(isUploadId))]
  }

  /** The files that lie there, with what crashes left. */
  async names(): Promise<string[]> {
    await mkdir(this.#dir, { recursive: true })
    return readdir(this.#dir)
  }

  /** The record of an upload with what of it has come; undefined for an unknown one. */
  async read(id: string): Promise<UploadRecord | undefined> {
    const upload = await this.get(id)
    const owner = upload?.metadata?.['owner']
    if (!upload || typeof owner !== 'string') return undefined
    const place = /^([0-9a-f]{24})\/(.+)$/s.exec(upload.metadata?.['placed'] ?? '')
    const bytes = await stat(place ? `${this.pathOf(id)}.json` : this.pathOf(id)).catch(() => undefined)
    if (!bytes) return undefined
    const size = upload.size ?? 0
    return {
      id,
      owner,
      name: upload.metadata?.['filename'] ?? 'file',
      size,
      offset: place ? size : bytes.size,
      activeAt: Math.max(Date.parse(upload.creation_date ?? '') / 1000 || 0, bytes.mtimeMs / 1000),
      placed: place ? { fid: place[1] ?? '', path: place[2] ?? '' } : null,
    }
  }

  /** Notes that the bytes have become the file of a run, and lets go of them here. */
  async place(id: string, fid: string, path: string): Promise<void> {
    const upload = await this.get(id)
    if (!upload) return
    upload.metadata = { ...upload.metadata, placed: `${fid}/${path}` }
    await this.set(id, upload)
    await rm(this.pathOf(id), { force: true })
  }

  /** Takes an upload away, bytes first. */
  async remove(id: string): Promise<void> {
    await rm(this.pathOf(id), { force: true })
    await this.delete(id)
  }
}
