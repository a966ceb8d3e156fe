import { mkdirSync } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { cleanPath, fileTooLarge, sizeText, type FileLimits } from '@koco/flow'
import { FileStore } from '@tus/file-store'
import { MemoryLocker, Server } from '@tus/server'
import type { FastifyRequest } from 'fastify'
import { ProblemError } from '../server/problems.ts'
import { isUploadId, newUploadId, UploadRecords, type UploadRecord } from './records.ts'

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
  readonly #server: Server
  readonly #finished = new Set<() => void>()
  /** Sizes of what is not used yet, by owner and id; read from the folder once. */
  #unused: Promise<Map<string, Map<string, number>>> | undefined

  constructor(options: UploadsOptions) {
    this.#options = options
    mkdirSync(options.dir, { recursive: true })
    this.#records = new UploadRecords(options.dir)
    this.#server = this.#createServer()
  }

  /** Answers a request of the protocol; the caller has checked that it may come. `id`: of an upload that begins. Refusals of the protocol are problems too. */
  async handle(request: FastifyRequest, id?: string): Promise<{ readonly status: number; readonly headers: Record<string, string> }> {
    const response = await this.#server.handleWeb(webRequest(request, id))
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

  /** Calls `listener` each time an upload has become complete in this process; the result ends it. */
  onFinish(listener: () => void): () => void {
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

  #createServer(): Server {
    const { dir, limits } = this.#options
    const datastore = new FileStore({ directory: dir, configstore: this.#records })
    // The size is said first, since room is kept for it; ages are looked after here, by one clock.
    datastore.extensions = ['creation', 'creation-with-upload', 'termination']
    return new Server({
      path: '/api/uploads',
      datastore,
      locker: new MemoryLocker(),
      relativeLocation: true,
      maxSize: limits.fileBytesMax,
      allowedOrigins: () => false,
      namingFunction: (request) => request.headers.get('x-koco-upload') ?? newUploadId(),
      onUploadCreate: async (request, upload) => {
        upload.creation_date = new Date(this.#options.clock()).toISOString()
        const { filename, relativePath, filetype } = upload.metadata ?? {}
        const owner = request.headers.get('x-koco-owner') ?? ''
        const named = relativePath === undefined || relativePath === null || relativePath === 'null' || relativePath === '' ? filename : relativePath
        return { metadata: { filename: cleanPath(named ?? 'file'), ...(filetype && { filetype: filetype.slice(0, 100) }), owner } }
      },
      onUploadFinish: async () => {
        for (const listener of this.#finished) listener()
        return {}
      },
    })
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

/** The request in the form that the tus server takes. The two headers of ours are always set or taken out: no client can say them. */
function webRequest(request: FastifyRequest, id: string | undefined): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && !name.startsWith('x-') && name !== 'cookie' && name !== 'authorization' && name !== 'expect') headers.set(name, value)
  }
  if (id !== undefined) headers.set('x-koco-upload', id)
  if (request.principal) headers.set('x-koco-owner', request.principal.user)
  const hasBody = request.method === 'PATCH' || (request.method === 'POST' && headers.get('content-type') === 'application/offset+octet-stream')
  const init = { method: request.method, headers, ...(hasBody && { body: Readable.toWeb(request.raw) as unknown, duplex: 'half' }) }
  return new Request(`http://koco${request.url.replace(/\?.*$/s, '')}`, init as RequestInit)
}

const CODES: Readonly<Record<number, string>> = {
  404: 'unknown_upload',
  409: 'upload_offset',
  410: 'upload_expired',
  412: 'tus_version',
  413: 'file_too_large',
}

/** A refusal of the tus server as a problem. 403 means a header that is missing: a malformed request in our words. */
function protocolProblem(status: number, text: string): ProblemError {
  if (status >= 500) return new ProblemError(503, 'upload_failed', 'The upload could not be kept now; go on with it in a moment.', { retryAfterS: 1 })
  return new ProblemError(status === 403 ? 400 : status, CODES[status] ?? 'bad_upload', `The upload was refused: ${text}.`)
}
