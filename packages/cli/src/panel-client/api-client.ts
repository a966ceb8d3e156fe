import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { KocoError, RefusedError, UnavailableError, type Json } from '@koco/core'
import { readFrames, type Frame } from '../client/frames.ts'

/** A panel that restarts is waited for this long before a tail gives up: every RECONNECT_MS, so often. */
const RECONNECT_MS = 500
const RECONNECTS_MAX = 60

/** A problem of the panel (RFC 9457) as an error; the code is the panel's. */
class RefusedByPanelError extends RefusedError {
  readonly status: number

  constructor(status: number, message: string, code: string, details: unknown) {
    super(message, { code, details })
    this.status = status
  }
}

/** The panel met a mistake of its own. */
class PanelFailedError extends KocoError {
  readonly reaction = 'report'
}

type ProblemBody = {
  readonly code?: string
  readonly detail?: string
  readonly request_id?: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

/** The HTTP API of a running panel, as the commands use it. `profile`: the one that names it, if any. */
export class ApiClient {
  readonly address: string
  readonly profile: string | null
  readonly #key: string | undefined

  constructor(address: string, key: string | undefined, profile: string | null = null) {
    this.address = address.replace(/\/$/, '')
    this.#key = key
    this.profile = profile
  }

  /**
   * The JSON of an answer. Throws UnavailableError when nobody answers or the panel cannot now, RefusedByPanelError with the panel's own
   * words for a 4xx.
   */
  async call<T = Json>(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    const response = await this.#request(method, path, body, headers)
    const text = await response.text()
    if (!response.ok) throw this.#problem(response, text)
    return (text === '' ? null : JSON.parse(text)) as T
  }

  /** The answer as it is, its body read: for what is no JSON. Throws as `call`. */
  async exchange(method: string, path: string, headers: Readonly<Record<string, string>>, body?: Uint8Array): Promise<Response> {
    const response = await this.#request(method, path, body, headers)
    const text = await response.text()
    if (!response.ok) throw this.#problem(response, text)
    return response
  }

  /** The bytes of an answer as they come. Throws as `call`. */
  async download(path: string): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#request('GET', path, undefined, {})
    if (!response.ok || !response.body) throw this.#problem(response, await response.text())
    return response.body
  }

  /** Sends a stream of bytes; gives the JSON of the answer. Throws as `call`. */
  async upload<T>(path: string, type: string, body: Readable): Promise<T> {
    const response = await this.#request('POST', path, body, { 'content-type': type })
    const text = await response.text()
    if (!response.ok) throw this.#problem(response, text)
    return JSON.parse(text) as T
  }

  /** All items of a paged list, at most `max`. */
  async list<T>(path: string, max: number): Promise<T[]> {
    const items: T[] = []
    let after: string | null = null
    do {
      const url = new URL(path, 'http://x')
      url.searchParams.set('limit', String(Math.min(200, max - items.length)))
      if (after !== null) url.searchParams.set('after', after)
      const page: { items: T[]; next: string | null } = await this.call('GET', url.pathname + url.search)
      items.push(...page.items)
      after = page.next
    } while (after !== null && items.length < max)
    return items
  }

  /** The frames of a live tail until it ends by itself; a cut connection is taken up again behind the last position. */
  async *tail(path: string, after: string | null, signal: AbortSignal): AsyncGenerator<Frame> {
    let last = after
    for (let failures = 0; !signal.aborted; failures++) {
      const response = await this.#openTail(path, last, signal).catch((error: unknown) => {
        if (!(error instanceof UnavailableError) || failures === 0 || failures > RECONNECTS_MAX) throw error
        return undefined
      })
      if (response?.status === 204) return
      if (response?.body) {
        failures = 0
        for await (const frame of readFrames(response.body)) {
          last = frame.id ?? last
          yield frame
          if (frame.event === 'end') return
        }
      }
      await sleep(RECONNECT_MS, undefined, { signal }).catch(() => {})
    }
  }

  async #openTail(path: string, after: string | null, signal: AbortSignal): Promise<Response> {
    const headers = { accept: 'text/event-stream', ...(after !== null && { 'last-event-id': after }) }
    const response = await this.#request('GET', path, undefined, headers, signal)
    if (!response.ok) throw this.#problem(response, await response.text())
    return response
  }

  async #request(method: string, path: string, body: unknown, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response> {
    const auth = this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }
    const content = body === undefined ? {} : { 'content-type': 'application/json' }
    try {
      return await fetch(this.address + path, {
        method,
        headers: { ...auth, ...content, ...headers },
        ...bodyOf(body),
        ...(signal && { signal }),
      })
    } catch (error) {
      const remedy =
        this.profile === null
          ? 'start one with `koco start`, or name another with --address.'
          : `it is the panel of the profile ${this.profile}; \`koco profiles use local\` goes back to the one of the settings.`
      throw new UnavailableError(`No koco answers at ${this.address}: ${remedy}`, { code: 'no_panel', cause: error })
    }
  }

  #problem(response: Response, text: string): KocoError {
    const problem = parseProblem(text)
    const fields = (problem.errors ?? []).map(({ path, message }) => `\n  ${path === '' ? '(all)' : path}: ${message}`).join('')
    const detail = `${problem.detail ?? `${this.address} answered ${response.status}`}${fields}`
    if (response.status === 401 && (problem.code ?? 'not_signed_in') === 'not_signed_in') {
      const remedy =
        this.profile === null
          ? 'Give a key with --api-key or KODO_API_KEY (`koco keys create` makes one), or keep one with `koco login`.'
          : `The key of the profile ${this.profile} is not known there any more: \`koco login ${this.address} --name ${this.profile}\`.`
      return new RefusedByPanelError(401, `${detail}\n${remedy}`, 'not_signed_in', problem.errors)
    }
    if (response.status === 503 || response.status === 502 || response.status === 504)
      return new UnavailableError(detail, { code: problem.code ?? 'unavailable' })
    if (response.status >= 500)
      return new PanelFailedError(`${detail} (request ${problem.request_id ?? 'unknown'}: see the log of the panel)`, { code: problem.code ?? 'internal' })
    return new RefusedByPanelError(response.status, detail, problem.code ?? 'refused', problem.errors)
  }
}

/** Bytes and streams go as they are, everything else as JSON. */
function bodyOf(body: unknown): RequestInit {
  if (body === undefined) return {}
  if (body instanceof Readable) return { body: Readable.toWeb(body) as ReadableStream<Uint8Array>, duplex: 'half' }
  return { body: body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }
}

function parseProblem(text: string): ProblemBody {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}
