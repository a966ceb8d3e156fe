import { mkdirSync } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileTooLarge, sizeText, type FileLimits } from '@koco/flow'
import type { Server } from '@tus/server'
import type { FastifyRequest } from 'fastify'
import { ProblemError } from '../server/problems.ts'
import { protocolProblem, webRequest } from './tus-request.ts'
import { isUploadId, UploadRecords, type UploadRecord } from './records.ts'

/** What uploads are made of. Times in seconds; `clock` in ms since 1970. */
export type UploadsOptions = {
  /** A folder of its own. */
  readonly dir: string
  readonly limits: FileLimits
  /** An upload to which nothing was added for so long is taken away, used or not. */
  readonly expiresS: number
  readonly clock: () => number
}

/** Uploads of one user that no run has used yet. */
const UNUSED_MAX = 1000

/** The files that people send before a run, by the tus protocol: each belongs to who began it and to nobody else. */
export class Uploads {
  readonly #options: UploadsOptions
  readonly #records: UploadRecords
  /** Made at the first upload: to load it takes longer than to start a panel. */
  #server: Promise<Server> | undefined
  readonly #finished = new Set<(path: string) => void>()
  /** Sizes of what is not used yet, by owner and id; read from the folder once. */
  #unused: Promise<Map<string, Map<string, number>>> | undefined

  constructor(options: UploadsOptions) {
    this.#options = options
    mkdirSync(options.dir, { recursive: true })
    this.#records = new UploadRecords(options.dir)
  }

  /** Answers a request of the protocol; the caller has checked that it may come. `id`: of an upload that begins. Refusals of the protocol are problems too. */
  async handle(request: FastifyRequest, id?: string): Promise<{ readonly status: number; readonly headers: Record<string, string> }> {
    const server = await (this.#server ??= this.#createServer())
    const response = await server.handleWeb(webRequest(request, id))
    if (response.status >= 400) throw protocolProblem(response.status, (await response.text()).trim())
    const kept = [...response.headers].filter(([name]) => !name.startsWith('access-control-') && name !== 'content-length' && name !== 'content-type')
    const expires = new Date(this.#options.clock() + this.#options.expiresS * 1000).toUTCString()
    return { status: response.status, headers: { ...Object.fromEntries(kept), ...(request.method !== 'DELETE' && { 'upload-expires': expires }) } }
  }

  /** Checks what is about to begin and reserves its size. Problem 400, 409 `too_many_uploads`, 413 `file_too_large`. The result gives the room back. */
  async reserve(owner: string, id: string, length: string | undefined): Promise<void> {
    const { limits } = this.#options
    if (length === undefined || !/^\d{1,15}$/.test(length)) {
      throw new ProblemError(400, 'upload_length', 'An upload says its size first: send Upload-Length, in bytes.')
    }
    const size = Number(length)
    if (size > limits.fileBytesMax) throw fileTooLarge('The file', limits)
    const held = await this.#unusedOf(owner)
    const bytes = [...held.values()].reduce((sum, one) => sum + one, 0)
    if (held.size >= UNUSED_MAX || bytes + size > 2 * limits.runBytesMax) {
      throw new ProblemError(
        409,
        'too_many_uploads',
        `You have ${held.size} uploads (${sizeText(bytes)}) that no run has used. Start the runs they are for, delete some, or wait until they expire.`,
      )
    }
    held.set(id, size)
  }

  /** The upload, when it is this user's. Problem 404 `unknown_upload`, 410 `upload_expired`. */
  async find(owner: string, id: string): Promise<UploadRecord> {
    const record = isUploadId(id) ? await this.#records.read(id) : undefined
    if (!record || record.owner !== owner) throw new ProblemError(404, 'unknown_upload', 'There is no such upload of yours.')
    if (this.#isStale(record.activeAt)) throw new ProblemError(410, 'upload_expired', `The upload of "${record.name}" has expired; send the file again.`)
    return record
  }

  /** The uploads of a user that no run has used, newest first. */
  async list(owner: string): Promise<UploadRecord[]> {
    const ids = [...(await this.#unusedOf(owner)).keys()]
    const records = await Promise.all(ids.map((id) => this.#records.read(id)))
    return records.filter((one) => one !== undefined && one.placed === null && !this.#isStale(one.activeAt)).toReversed() as UploadRecord[]
  }

  /** When an upload is taken away, in unix seconds. */
  expiresAt(record: UploadRecord): number {
    return record.activeAt + this.#options.expiresS
  }

  /** Where the bytes of an upload are that no run has used. */
  pathOf(record: UploadRecord): string {
    return this.#records.pathOf(record.id)
  }

  /** Notes that a complete upload has become the file of a run. */
  async place(record: UploadRecord, fid: string, path: string): Promise<void> {
    await this.#records.place(record.id, fid, path)
    await this.#forget(record.owner, record.id)
  }

  /** Calls `listener` with where its bytes are each time an upload has become complete in this process; the result ends it. */
  onFinish(listener: (path: string) => void): () => void {
    this.#finished.add(listener)
    return () => this.#finished.delete(listener)
  }

  /** Lets go of what an upload had reserved: it was taken away, or never began. */
  async release(owner: string, id: string): Promise<void> {
    if (!(await this.#records.read(id))) await this.#forget(owner, id)
  }

  /** Takes away what is stale, and what crashes left; gives how many files. */
  async sweep(): Promise<number> {
    let count = 0
    for (const name of await this.#records.names()) {
      const id = name.slice(0, 32)
      const record = isUploadId(id) ? await this.#records.read(id) : undefined
      const path = join(this.#options.dir, name)
      const found = await stat(path).catch(() => undefined)
      if (!found || !this.#isStale(Math.max(record?.activeAt ?? 0, found.mtimeMs / 1000))) continue
      await rm(path, { force: true })
      count += 1
      if (record) await this.#forget(record.owner, id)
    }
    return count
  }

  #isStale(activeAt: number): boolean {
    return this.#options.clock() / 1000 > activeAt + this.#options.expiresS
  }

  async #createServer(): Promise<Server> {
    const { createTusServer } = await import('./tus-server.ts')
    const { dir, limits, clock } = this.#options
    const onFinish = (id: string): void => this.#finished.forEach((listener) => listener(this.#records.pathOf(id)))
    return createTusServer({ dir, records: this.#records, bytesMax: limits.fileBytesMax, clock, onFinish })
  }

  async #unusedOf(owner: string): Promise<Map<string, number>> {
    this.#unused ??= this.#readUnused()
    const all = await this.#unused
    const known = all.get(owner) ?? new Map<string, number>()
    all.set(owner, known)
    return known
  }

  async #readUnused(): Promise<Map<string, Map<string, number>>> {
    const all = new Map<string, Map<string, number>>()
    for (const id of await this.#records.list()) {
      const record = await this.#records.read(id)
      if (!record || record.placed) continue
      const held = all.get(record.owner) ?? new Map<string, number>()
      all.set(record.owner, held.set(id, record.size))
    }
    return all
  }

  async #forget(owner: string, id: string): Promise<void> {
    ;(await this.#unusedOf(owner)).delete(id)
  }
}
