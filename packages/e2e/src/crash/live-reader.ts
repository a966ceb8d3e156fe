import { setTimeout as delay } from 'node:timers/promises'
import { parseSse, type ApiClient, type SseFrame } from '../processes/api-client.ts'

const RETRY_MS = 100

/** What a reader was shown of a run: the events in the order in which they came, and control frames that tell of a break. */
export type Seen = { readonly events: readonly SseFrame[]; readonly breaks: readonly string[] }

/** A person's page on one run: follows live, comes again by its cursor whenever the link is lost, until it is told the end. */
export class LiveReader {
  readonly fid: string
  readonly #client: ApiClient
  readonly #events: SseFrame[] = []
  readonly #breaks: string[] = []
  readonly #gone = new AbortController()
  /** Resolves at the run's end, or when the reader leaves. */
  readonly done: Promise<void>
  reconnects = 0

  constructor(client: ApiClient, fid: string) {
    this.#client = client
    this.fid = fid
    this.done = this.#follow()
  }

  get seen(): Seen {
    return { events: this.#events, breaks: this.#breaks }
  }

  /** Leaves before the end. */
  leave(): void {
    this.#gone.abort()
  }

  async #follow(): Promise<void> {
    while (!this.#gone.signal.aborted) {
      if (await this.#connect().catch(() => false)) return
      this.reconnects += 1
      await delay(RETRY_MS)
    }
  }

  /** True when the run is over and all of it was shown. */
  async #connect(): Promise<boolean> {
    const cursor = this.#events.at(-1)?.id
    const headers = { accept: 'text/event-stream', ...(cursor !== undefined && cursor !== null && { 'last-event-id': cursor }) }
    const response = await this.#client.request('GET', `/api/runs/${this.fid}/events`, undefined, headers, this.#gone.signal)
    if (response.status === 204) return true
    if (!response.ok || !response.body) return false
    for await (const frame of parseSse(response.body)) {
      if (frame.id !== null) this.#events.push(frame)
      else if (frame.event === 'end') return true
      else if (frame.event === 'reset' || frame.event === 'gap') this.#breaks.push(`${frame.event} ${frame.data}`)
    }
    return false
  }
}
