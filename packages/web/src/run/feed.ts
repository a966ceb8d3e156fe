import { isJsonObject, ORIGIN, parsePosition, type Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import { ApiProblem, unreachable } from '../api/problem.ts'
import { eventsPage } from '../api/runs.ts'
import { backoffMs, sleep } from '../live/backoff.ts'
import type { SseFrame } from '../live/sse-parser.ts'
import { openStream, resetAfter, type StreamState } from '../live/stream.ts'
import type { Visibility } from '../live/visibility.ts'
import { EventLog } from './event-log.ts'
import { LiveText } from './live-text.ts'
import { SpanFold } from './spans.ts'

/** Something that the stream said about itself, in words for people. */
export type FeedNotice = { readonly id: number; readonly kind: 'gap' | 'reset'; readonly text: string }

/** How a run's feed stands; a new object at each change. The log and the spans are the feed's own. */
export type FeedState = {
  readonly version: number
  /** `loading`: stored events are being read page by page; then the stream's own phases. */
  readonly phase: 'loading' | StreamState['phase']
  readonly problem: ApiProblem | null
  readonly tail: string | null
  readonly notices: readonly FeedNotice[]
}

const PAGE_EVENTS = 1000
const NOTICES_MAX = 20

/**
 * A run's events, past and present: reads the stored pages in big bites, then follows the live stream from there. One cursor, no seam: an event is in the log once.
 * Listeners are told at most once a frame (60 ms).
 */
export class RunFeed {
  readonly log = new EventLog()
  readonly spans = new SpanFold()
  readonly live = new LiveText()
  readonly fid: string

  readonly #visibility: Visibility
  readonly #listeners = new Set<() => void>()
  readonly #hearers = new Set<(events: readonly TimelineEvent[]) => void>()
  #state: FeedState = { version: 0, phase: 'loading', problem: null, tail: null, notices: [] }
  #stop = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #pending: TimelineEvent[] = []
  #noticeId = 0

  constructor(fid: string, visibility: Visibility) {
    this.fid = fid
    this.#visibility = visibility
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls with every batch of new events, until the result is called. */
  hear(listener: (events: readonly TimelineEvent[]) => void): () => void {
    this.#hearers.add(listener)
    return () => this.#hearers.delete(listener)
  }

  readonly snapshot = (): FeedState => this.#state

  /** Begins to read; a feed that ended goes on from where it is (a run that was started again). */
  open(): void {
    this.#stop.abort()
    this.#stop = new AbortController()
    this.#change({ phase: this.log.last === undefined ? 'loading' : 'connecting', problem: null })
    void this.#run(this.#stop.signal)
  }

  close(): void {
    this.#stop.abort()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #run(signal: AbortSignal): Promise<void> {
    if (!(await this.#catchUp(signal)) || signal.aborted) return
    const close = openStream({
      url: `/api/runs/${this.fid}/events`,
      ...(this.log.last !== undefined && { after: this.log.last }),
      visibility: this.#visibility,
      onFrame: (frame) => this.#take(frame),
      onState: ({ phase, problem, tail }) => this.#change({ phase, problem, tail }),
    })
    signal.addEventListener('abort', close, { once: true })
  }

  /** Reads stored pages until there is nothing more; false when the server refused for good. */
  async #catchUp(signal: AbortSignal): Promise<boolean> {
    let tries = 0
    while (!signal.aborted) {
      try {
        const after = this.log.last
        const page = await eventsPage(this.fid, { limit: PAGE_EVENTS, ...(after !== undefined && { after }) }, signal)
        tries = 0
        this.#add(page.items)
        if (page.next === null || page.items.length === 0) return true
      } catch (error) {
        if (signal.aborted) return false
        const problem = error instanceof ApiProblem ? error : unreachable(error)
        const passing = problem.status === 0 || problem.status >= 500 || problem.status === 429
        this.#change({ phase: passing ? 'reconnecting' : 'failed', problem })
        if (!passing) return false
        tries += 1
        await sleep(Math.max((problem.retryAfterS ?? 0) * 1000, backoffMs(tries, 1000, Math.random)), signal)
      }
    }
    return false
  }

  #take(frame: SseFrame): void {
    if (frame.event === 'reset') return this.#reset(frame.data)
    const data = parse(frame.data)
    if (frame.id !== null) {
      if (isWireEvent(data)) this.#pending.push(data)
      return this.#soon()
    }
    if (frame.event === 'gap') this.#notice('gap', gapText(data))
    else if (frame.event === 'delta' && this.live.add(data)) this.#soon()
  }

  #reset(data: string): void {
    this.#flush()
    const after = parsePosition(resetAfter(data) ?? '') ?? ORIGIN
    this.log.rewind(after)
    this.spans.clear()
    for (const event of this.log.events) this.spans.add(event)
    this.live.clear()
    this.#notice('reset', resetText(data))
  }

  #add(events: readonly TimelineEvent[]): void {
    const added = this.log.append(events)
    for (const event of added) {
      this.spans.add(event)
      this.live.closeBy(event)
    }
    if (added.length > 0) for (const hear of this.#hearers) hear(added)
    this.#change({})
  }

  #notice(kind: FeedNotice['kind'], text: string): void {
    this.#noticeId += 1
    this.#change({ notices: [...this.#state.notices, { id: this.#noticeId, kind, text }].slice(-NOTICES_MAX) })
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#flush(), 60)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#add(this.#pending.splice(0))
  }

  #change(part: Partial<FeedState>): void {
    this.#state = { ...this.#state, ...part, version: this.#state.version + 1 }
    for (const listener of this.#listeners) listener()
  }
}

function parse(data: string): Json {
  try {
    return JSON.parse(data) as Json
  } catch {
    // A broken control frame says nothing; events are checked by their shape.
    return null
  }
}

function isWireEvent(data: unknown): data is TimelineEvent {
  return isJsonObject(data) && typeof data['position'] === 'string' && typeof data['kind'] === 'string'
}

function resetText(data: string): string {
  const body = parse(data)
  const reason = isJsonObject(body) ? body['reason'] : undefined
  if (reason === 'gone') return 'This run is no longer in the store.'
  if (reason === 'restored')
    return 'The store was set back to an earlier state (restored from a backup, say). What it holds now is read again from the beginning.'
  return 'Some events that were shown here came from a process that had been replaced already. They do not count and were taken back.'
}

function gapText(data: Json): string {
  const range = isJsonObject(data) && typeof data['from'] === 'string' && typeof data['to'] === 'string' ? ` (${data['from']} to ${data['to']})` : ''
  return `Some events of this run were lost before they could be stored${range}. What follows is complete again.`
}
