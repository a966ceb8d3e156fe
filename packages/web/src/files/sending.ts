import { Upload, type DetailedError } from 'tus-js-client'
import { askBeforeLeaving } from './leaving.ts'
import { forgetPending, notePending } from './pending.ts'

/** What a person sees of a file on its way. `id` is null until the server has given one. */
export type SendingState = {
  readonly id: string | null
  readonly name: string
  readonly size: number
  readonly offset: number
  readonly phase: 'waiting' | 'sending' | 'paused' | 'done' | 'failed'
  readonly problem: string | null
}

const AT_ONCE = 3
const PIECE_BYTES = 32 * 1024 * 1024
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000]

const sendings = new Map<string, Sending>()
const queue: Sending[] = []
let working = 0

/** The upload of this id, when this tab sends it or has sent it. */
export function sendingOf(id: string): Sending | undefined {
  return sendings.get(id)
}

/**
 * A file on its way to the server, piece by piece. It goes on by itself after a cut; a pause keeps what has arrived.
 *
 *   waiting ──▶ sending ──▶ done      waiting: others go first
 *                │  ▲ └───▶ failed ──▶ sending (again)
 *                ▼  │
 *               paused
 */
export class Sending {
  readonly #upload: Upload
  readonly #listeners = new Set<() => void>()
  readonly #done = Promise.withResolvers<void>()
  #state: SendingState
  #onId: (id: string) => void = () => undefined

  /** `id`: of an upload that was begun before, by another page. `path`: the name that it has in the run, with folders. */
  constructor(file: File, options: { readonly path: string; readonly id?: string }) {
    const { path, id } = options
    this.#state = { id: id ?? null, name: path, size: file.size, offset: 0, phase: 'waiting', problem: null }
    // Who waits for it listens in time or not at all.
    this.#done.promise.catch(() => undefined)
    this.#upload = new Upload(file, {
      endpoint: '/api/uploads',
      ...(id !== undefined && { uploadUrl: `/api/uploads/${id}` }),
      metadata: { filename: path, filetype: file.type },
      chunkSize: PIECE_BYTES,
      retryDelays: RETRY_DELAYS_MS,
      storeFingerprintForResuming: false,
      onUploadUrlAvailable: () => this.#named(),
      onProgress: (sent) => this.#set({ offset: sent }),
      onSuccess: () => this.#finish({ phase: 'done', offset: file.size }),
      onError: (error) => this.#finish({ phase: 'failed', problem: problemOf(error) }),
    })
    if (id !== undefined) this.#register(id)
  }

  get state(): SendingState {
    return this.#state
  }

  /** Why it does not go on by itself, said to who waits for it. */
  get stuck(): string | undefined {
    const { phase, name, problem } = this.#state
    if (phase === 'paused') return `“${name}” is paused. Go on with it, or take it out.`
    return phase === 'failed' ? `“${name}” could not be sent: ${problem ?? ''}` : undefined
  }

  /** Calls `listener` after each change; the result ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Sends it, when it is its turn; `onId` hears of the id once the server has given one. */
  start(onId: (id: string) => void = () => undefined): void {
    this.#onId = onId
    askBeforeLeaving(this, true)
    queue.push(this)
    next()
  }

  pause(): void {
    if (this.#state.phase !== 'sending' && this.#state.phase !== 'waiting') return
    this.#leave()
    this.#set({ phase: 'paused' })
    void this.#upload.abort()
  }

  /** Goes on after a pause or a failure. */
  resume(): void {
    if (this.#state.phase !== 'paused' && this.#state.phase !== 'failed') return
    this.#set({ phase: 'waiting', problem: null })
    queue.push(this)
    next()
  }

  /** Stops for good; what has arrived is taken away by whoever knows the id. */
  drop(): void {
    this.#leave()
    this.#set({ phase: 'paused' })
    void this.#upload.abort()
    this.#done.reject(new Error(`“${this.#state.name}” was taken out.`))
    const { id } = this.#state
    if (id === null) return
    sendings.delete(id)
    forgetPending(id)
  }

  /** Its turn has come. */
  send(): void {
    this.#set({ phase: 'sending' })
    this.#upload.start()
  }

  #named(): void {
    const id = this.#upload.url?.split('/').at(-1)
    if (id === undefined || this.#state.id !== null) return
    this.#set({ id })
    this.#register(id)
    this.#onId(id)
  }

  #register(id: string): void {
    sendings.set(id, this)
    notePending(id, () => this.#wholly())
  }

  // A person who presses start while a file is paused or has failed is told so instead of waiting for ever.
  #wholly(): Promise<void> {
    const { stuck } = this
    if (stuck !== undefined) return Promise.reject(new Error(stuck))
    return this.#done.promise
  }

  #finish(change: Partial<SendingState>): void {
    this.#leave()
    this.#set(change)
    if (change.phase !== 'done') return
    this.#done.resolve()
    if (this.#state.id !== null) forgetPending(this.#state.id)
  }

  /** Gives its place to the next. */
  #leave(): void {
    const waiting = queue.indexOf(this)
    if (waiting >= 0) queue.splice(waiting, 1)
    else if (this.#state.phase === 'sending') working -= 1
    next()
  }

  #set(change: Partial<SendingState>): void {
    this.#state = { ...this.#state, ...change }
    askBeforeLeaving(this, this.#state.phase === 'waiting' || this.#state.phase === 'sending')
    for (const listener of this.#listeners) listener()
  }
}

function next(): void {
  while (working < AT_ONCE) {
    const first = queue.shift()
    if (!first) return
    working += 1
    first.send()
  }
}

/** What the server says of a refusal, else what went wrong on the way. */
function problemOf(error: Error | DetailedError): string {
  const body = 'originalResponse' in error ? error.originalResponse?.getBody() : undefined
  try {
    const { detail } = JSON.parse(body ?? '') as { readonly detail?: unknown }
    if (typeof detail === 'string') return detail
  } catch {
    // No problem in JSON: the words of the client are what there is.
  }
  return 'The server did not answer. Check the connection and go on.'
}
