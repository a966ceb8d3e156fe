import type { Json } from '@koco/core'
import type { Flow, FlowDetail, Lock, Page, Run, RunDetail, TimelineEvent } from '@koco/core/api'
import { KocoApiError, send, sendJson, type ClientOptions } from './request.ts'
import type { RunFilter } from './run-filter.ts'
import { watchRun, type WatchOptions } from './watch.ts'

const START_TRIES = 5

/** Which events: those behind a position, of some kinds, at most so many (1 to 1,000; 200 unless given). */
export type EventsQuery = { readonly after?: string; readonly kinds?: readonly string[]; readonly limit?: number }

/**
 * Starts and steers runs over HTTP, in a browser and in Node.
 *
 *     const koco = new KocoClient({ address: 'http://localhost:3370', apiKey })
 *     const { fid } = await koco.start('trip', { city: 'Lisbon', days: 3 })
 *     for await (const event of koco.watch(fid)) console.log(event.kind, event.data)
 *     console.log((await koco.get(fid)).final)
 */
export class KocoClient {
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** Starts a run. `key` makes it once, however often it is called with it; without one a call that gets no answer is repeated and still starts one run. */
  async start(flow: string, inputs: Json = {}, { key = newKey() }: { readonly key?: string } = {}): Promise<{ readonly fid: string }> {
    const request = { method: 'POST', body: { flow, inputs }, headers: { 'idempotency-key': key } }
    for (let tries = 1; ; tries++) {
      try {
        return await sendJson(this.#options, '/api/runs', request)
      } catch (error) {
        if (!(error instanceof KocoApiError && error.passing) || tries === START_TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, (error.retryAfterS ?? 0) * 1000 + 200 * 2 ** tries))
      }
    }
  }

  /** A run with inputs, questions and result. */
  get(fid: string): Promise<RunDetail> {
    return sendJson(this.#options, path(fid))
  }

  /** A page of runs, newest first. */
  list({ status, ...filter }: RunFilter = {}): Promise<Page<Run>> {
    const query = new URLSearchParams()
    if (status) query.set('status', status.join(','))
    for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value))
    return sendJson(this.#options, `/api/runs?${query.toString()}`)
  }

  /** The flows of the catalogue, at most 200; `q`: words to look for. */
  async flows(q?: string): Promise<readonly Flow[]> {
    const query = new URLSearchParams({ limit: '200', ...(q !== undefined && { q }) })
    return (await sendJson<Page<Flow>>(this.#options, `/api/flows?${query.toString()}`)).items
  }

  /** A flow with the JSON Schema of its inputs. */
  flow(name: string): Promise<FlowDetail> {
    return sendJson(this.#options, `/api/flows/${encodeURIComponent(name)}`)
  }

  /** A page of a run's stored events, in order; give `next` back as `after`, null: these are all so far. */
  events(fid: string, { after, kinds, limit = 200 }: EventsQuery = {}): Promise<Page<TimelineEvent>> {
    const query = new URLSearchParams({ limit: String(limit), ...(after !== undefined && { after }), ...(kinds && { kind: kinds.join(',') }) })
    return sendJson(this.#options, `${path(fid)}/events?${query.toString()}`)
  }

  /** A run's events, each once and in order, until it is over; a cut connection is taken up again where it broke. */
  watch(fid: string, options: WatchOptions = {}): AsyncGenerator<TimelineEvent> {
    return watchRun(this.#options, fid, options)
  }

  /** Waits for the end of a run and gives it with its result. */
  async result(fid: string, options: Pick<WatchOptions, 'signal'> = {}): Promise<RunDetail> {
    for await (const _event of this.watch(fid, options));
    options.signal?.throwIfAborted()
    return this.get(fid)
  }

  /** The questions that wait and that the caller may answer. */
  async openLocks(): Promise<readonly Lock[]> {
    return (await sendJson<Page<Lock>>(this.#options, '/api/locks?status=open&limit=200')).items.filter((lock) => lock.may_answer)
  }

  /** Answers a question; `reason` stays in the timeline. KocoApiError 422 with `fields` when it does not fit, 409 when somebody was first or it is over, 403 when it is for others to answer. */
  async answer(fid: string, lid: string, answer: Json, reason?: string): Promise<void> {
    await send(this.#options, `${path(fid)}/locks/${encodeURIComponent(lid)}`, { method: 'POST', body: { answer, ...(reason !== undefined && { reason }) } })
  }

  /** Pauses at the next step border. Like the other requests: kept, and done whatever dies in between. */
  pause(fid: string): Promise<void> {
    return this.#ask(fid, 'pause')
  }

  resume(fid: string): Promise<void> {
    return this.#ask(fid, 'resume')
  }

  cancel(fid: string, reason?: string): Promise<void> {
    return this.#ask(fid, 'cancel', reason === undefined ? {} : { reason })
  }

  /** Starts an ended run again; finished steps are kept. */
  retry(fid: string): Promise<void> {
    return this.#ask(fid, 'retry')
  }

  async #ask(fid: string, what: string, body: object = {}): Promise<void> {
    await send(this.#options, `${path(fid)}/${what}`, { method: 'POST', body })
  }
}

function path(fid: string): string {
  return `/api/runs/${encodeURIComponent(fid)}`
}

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
