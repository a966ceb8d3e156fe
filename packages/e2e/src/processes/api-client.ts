import type { Page, RunDetail, TimelineEvent } from '@koco/core/api'

/** An event as the API gives it; of koco's own kinds all data are objects. */
export type ApiEvent = TimelineEvent & { readonly data: Readonly<Record<string, unknown>> }

/** A frame of a live tail. */
export type SseFrame = { readonly id: string | null; readonly event: string; readonly data: string; readonly at: number }

/** A small client of the HTTP API for tests and benches: an API key, JSON, the live tail. */
export class ApiClient {
  readonly #address: string
  readonly #key: string

  private constructor(address: string, key: string) {
    this.#address = address
    this.#key = key
  }

  /** Signs in and makes an API key, which all later calls use. */
  static async signIn(address: string, login: string, password: string): Promise<ApiClient> {
    const signedIn = await fetch(`${address}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login, password }),
    })
    if (!signedIn.ok) throw new Error(`sign-in answered ${signedIn.status}: ${await signedIn.text()}`)
    const cookie = signedIn.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ')
    const made = await fetch(`${address}/api/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie, origin: address },
      body: JSON.stringify({ name: 'tests' }),
    })
    if (!made.ok) throw new Error(`making a key answered ${made.status}: ${await made.text()}`)
    const { key } = (await made.json()) as { key: string }
    return new ApiClient(address, key)
  }

  async request(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(`${this.#address}${path}`, {
      method,
      ...(signal && { signal }),
      headers: { authorization: `Bearer ${this.#key}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  /** Imports an exported run; gives its new id. */
  async importRun(exported: string): Promise<string> {
    const headers = { authorization: `Bearer ${this.#key}`, 'content-type': 'application/x-ndjson' }
    const answer = await fetch(`${this.#address}/api/runs/import`, { method: 'POST', headers, body: exported })
    if (!answer.ok) throw new Error(`the import answered ${answer.status}: ${await answer.text()}`)
    return ((await answer.json()) as { fid: string }).fid
  }

  /** The JSON of an answer; throws with status and body when it is not 2xx. */
  async json<T>(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T> {
    const response = await this.request(method, path, body, headers)
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return (text === '' ? null : JSON.parse(text)) as T
  }

  async start(flow: string, inputs: unknown, headers?: Readonly<Record<string, string>>): Promise<string> {
    return (await this.json<{ fid: string }>('POST', '/api/runs', { flow, inputs }, headers)).fid
  }

  /** Starts a run and waits for its end in the same request. */
  async startAndWait(flow: string, inputs: unknown, waitS = 60): Promise<RunDetail> {
    return this.json<RunDetail>('POST', '/api/runs', { flow, inputs }, { prefer: `wait=${waitS}` })
  }

  run(fid: string): Promise<RunDetail> {
    return this.json('GET', `/api/runs/${fid}`)
  }

  /** All events of a run, page by page. */
  async events(fid: string): Promise<ApiEvent[]> {
    const events: ApiEvent[] = []
    for (let after = ''; ;) {
      const page: Page<ApiEvent> = await this.json('GET', `/api/runs/${fid}/events?limit=1000${after && `&after=${after}`}`)
      events.push(...page.items)
      if (page.next === null || page.items.length === 0) return events
      after = page.next
    }
  }

  /** The frames of a live tail, as they arrive; ends with the stream or the signal. */
  async *tail(fid: string, after?: string, signal?: AbortSignal): AsyncGenerator<SseFrame> {
    const response = await fetch(`${this.#address}/api/runs/${fid}/events`, {
      headers: { authorization: `Bearer ${this.#key}`, accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) },
      ...(signal && { signal }),
    })
    if (!response.ok || !response.body) throw new Error(`the tail of ${fid} answered ${response.status}`)
    yield* parseSse(response.body)
  }
}

/** The frames of a body of server-sent events, as they arrive. */
export async function* parseSse(body: ReadableStream<Uint8Array>): AsyncGenerator<SseFrame> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    const at = performance.timeOrigin + performance.now()
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const frame = parseFrame(block, at)
      if (frame) yield frame
    }
  }
}

function parseFrame(block: string, at: number): SseFrame | undefined {
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()] as const))
  const data = fields.get('data')
  return data === undefined ? undefined : { id: fields.get('id') ?? null, event: fields.get('event') ?? 'message', data, at }
}
