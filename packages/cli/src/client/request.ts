import type { Json } from '@koco/core'

/** Where the panel is and who asks. Without a key the browser's session counts. `fetch`: another one than the platform's. */
export type ClientOptions = { readonly address: string; readonly apiKey?: string; readonly fetch?: typeof fetch }

/** A refusal of the API, or no answer at all (`status` 0, code `unreachable`). `code` is stable; `fields` names what does not fit, by JSON pointer. */
export class KocoApiError extends Error {
  override readonly name = 'KocoApiError'
  readonly status: number
  readonly code: string
  readonly requestId: string | null
  readonly fields: readonly { readonly path: string; readonly message: string }[]
  readonly retryAfterS: number | null

  constructor(message: string, about: Pick<KocoApiError, 'status' | 'code' | 'requestId' | 'fields' | 'retryAfterS'>, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.status = about.status
    this.code = about.code
    this.requestId = about.requestId
    this.fields = about.fields
    this.retryAfterS = about.retryAfterS
  }

  /** Whether the same request may go well a little later. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 500 || this.status === 429 || this.status === 408
  }
}

/** A request as it goes out. */
export type Request = {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Sends a request; throws KocoApiError for every answer that is no success and for none. */
export async function send(options: ClientOptions, path: string, { method = 'GET', body, headers = {}, signal }: Request = {}): Promise<Response> {
  const init: RequestInit = {
    method,
    headers: {
      accept: 'application/json',
      ...(options.apiKey !== undefined && { authorization: `Bearer ${options.apiKey}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    credentials: 'same-origin',
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  }
  let response: Response
  try {
    response = await (options.fetch ?? fetch)(options.address.replace(/\/$/, '') + path, init)
  } catch (error) {
    if (signal?.aborted) throw error
    const about = { status: 0, code: 'unreachable', requestId: null, fields: [], retryAfterS: null }
    throw new KocoApiError(`No koco answers at ${options.address}.`, about, error)
  }
  if (!response.ok) throw await problemOf(response)
  return response
}

/** The JSON of an answer; null for an empty one. */
export async function sendJson<T>(options: ClientOptions, path: string, request?: Request): Promise<T> {
  const text = await (await send(options, path, request)).text()
  return (text === '' ? null : JSON.parse(text)) as T
}

async function problemOf(response: Response): Promise<KocoApiError> {
  const body = parse(await response.text())
  const text = (name: string): string | undefined => (typeof body[name] === 'string' ? body[name] : undefined)
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new KocoApiError(text('detail') ?? `The server answered ${response.status}.`, {
    status: response.status,
    code: text('code') ?? `http_${response.status}`,
    requestId: text('request_id') ?? null,
    fields: Array.isArray(body['errors']) ? body['errors'] : [],
    retryAfterS: Number.isFinite(seconds) ? seconds : null,
  })
}

function parse(text: string): { readonly [name: string]: Json } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as { readonly [name: string]: Json }) : {}
  } catch {
    // A proxy's page: the status says enough.
    return {}
  }
}
