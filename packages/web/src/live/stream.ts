import { comparePositions, isJsonObject, ORIGIN, parsePosition, type Json } from '@koco/core'
import { ApiProblem, problemOf, unreachable } from '../api/problem.ts'
import { backoffMs, sleep } from './backoff.ts'
import { SseParser, type SseFrame } from './sse-parser.ts'
import { alwaysVisible, type Visibility } from './visibility.ts'

/*
 *   connecting ─▶ live ◀─▶ delayed (nothing heard for a while)
 *       ▲          │  └──▶ ended (an `end` frame, or 204): final
 *       │          ▼
 *   reconnecting ◀─┘ cut, 5xx, 429, network          failed (any other 4xx): final
 *   hidden: the tab is in the background; goes on by itself where it stopped
 */
export type StreamPhase = 'connecting' | 'live' | 'delayed' | 'reconnecting' | 'hidden' | 'ended' | 'failed'

/** How a stream stands. `tail` is the newest position that the server said it has. */
export type StreamState = { readonly phase: StreamPhase; readonly tries: number; readonly problem: ApiProblem | null; readonly tail: string | null }

/** What a stream reads and whom it tells. `after`: the last position that the caller has; only later events are given, each once and in order. */
export type StreamOptions = {
  readonly url: string
  readonly after?: string
  readonly onFrame: (frame: SseFrame) => void
  readonly onState: (state: StreamState) => void
  readonly visibility?: Visibility
  readonly random?: () => number
  /** Silence after which the stream counts as delayed, and after which it is cut and opened again. The server says something every 15 s. */
  readonly delayedAfterMs?: number
  readonly deadAfterMs?: number
  /** How long a background tab keeps its connection; browsers allow six to a server. */
  readonly hiddenAfterMs?: number
}

const RETRY_MS = 1000

type Outcome = { readonly end: 'ended' | 'cut' } | { readonly end: 'failed' | 'retry'; readonly problem: ApiProblem }

/** Opens an event stream and keeps it open until it ends, fails for good, or the returned function is called. */
export function openStream(options: StreamOptions): () => void {
  const stop = new AbortController()
  void new Stream(options, stop.signal).run()
  return () => stop.abort()
}

class Stream {
  readonly #options: StreamOptions
  readonly #stopped: AbortSignal
  readonly #visibility: Visibility
  #state: StreamState = { phase: 'connecting', tries: 0, problem: null, tail: null }
  #after: string | undefined
  #retryMs = RETRY_MS

  constructor(options: StreamOptions, stopped: AbortSignal) {
    this.#options = options
    this.#stopped = stopped
    this.#visibility = options.visibility ?? alwaysVisible
    this.#after = options.after
  }

  async run(): Promise<void> {
    while (!this.#stopped.aborted) {
      if (this.#visibility.hidden()) {
        this.#enter('hidden', null)
        await this.#visibility.shown(this.#stopped)
        continue
      }
      if (this.#state.phase === 'hidden') this.#enter('connecting', null)
      const outcome = await this.#connect()
      if (this.#stopped.aborted) return
      if (outcome.end === 'ended') return this.#enter('ended', null)
      if (outcome.end === 'failed') return this.#enter('failed', outcome.problem)
      if (this.#visibility.hidden()) continue
      await this.#wait(outcome.end === 'retry' ? outcome.problem : null)
    }
  }

  async #wait(problem: ApiProblem | null): Promise<void> {
    const tries = this.#state.tries + 1
    this.#state = { ...this.#state, tries }
    this.#enter('reconnecting', problem)
    const wanted = (problem?.retryAfterS ?? 0) * 1000
    await sleep(Math.max(wanted, backoffMs(tries, this.#retryMs, this.#options.random ?? Math.random)), this.#stopped)
  }

  async #connect(): Promise<Outcome> {
    const connection = new AbortController()
    const signal = AbortSignal.any([this.#stopped, connection.signal])
    const watch = this.#watch(() => connection.abort())
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' }
      if (this.#after !== undefined) headers['last-event-id'] = this.#after
      const response = await fetch(this.#options.url, { headers, signal, credentials: 'same-origin', cache: 'no-store' })
      if (response.status === 204) return { end: 'ended' }
      if (!response.ok || !response.body) return await refusal(response)
      watch.heard()
      this.#enter('live', null)
      return { end: await this.#read(response.body, watch.heard) }
    } catch (error) {
      return { end: 'retry', problem: error instanceof ApiProblem ? error : unreachable(error) }
    } finally {
      watch.stop()
      connection.abort()
    }
  }

  async #read(body: ReadableStream<Uint8Array>, heard: () => void): Promise<'ended' | 'cut'> {
    const parser = new SseParser()
    const decoder = new TextDecoder()
    const reader = body.getReader()
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      heard()
      for (const frame of parser.push(decoder.decode(chunk.value, { stream: true }))) {
        if (this.#stopped.aborted) return 'cut'
        this.#take(frame)
        if (frame.event === 'end') return 'ended'
      }
    }
    return 'cut'
  }

  /** Passes a frame on, unless its event was given before. */
  #take(frame: SseFrame): void {
    if (frame.retryMs !== null) this.#retryMs = Math.min(Math.max(frame.retryMs, 100), 30_000)
    if (frame.event === 'comment') return this.#heartbeat(frame.data)
    if (frame.event === 'retry') return
    if (this.#state.tries > 0) this.#state = { ...this.#state, tries: 0 }
    if (frame.event === 'reset') this.#rewind(frame.data)
    if (frame.id !== null) {
      const position = parsePosition(frame.id)
      if (position && comparePositions(position, parsePosition(this.#after ?? '') ?? ORIGIN) <= 0) return
      this.#after = frame.id
    }
    this.#options.onFrame(frame)
  }

  /** A reset takes back what was given after a position: from there on everything is new again. */
  #rewind(data: string): void {
    const after = resetAfter(data)
    if (after !== undefined) this.#after = after
  }

  #heartbeat(text: string): void {
    const tail = text.split(/\s+/).find((word) => parsePosition(word) !== undefined)
    if (tail === undefined || tail === this.#state.tail) return
    this.#state = { ...this.#state, tail }
    this.#options.onState(this.#state)
  }

  #enter(phase: StreamPhase, problem: ApiProblem | null): void {
    if (this.#state.phase === phase && this.#state.problem === problem && phase !== 'reconnecting') return
    this.#state = { ...this.#state, phase, problem }
    this.#options.onState(this.#state)
  }

  /** Watches over silence and over the tab going into the background; `cut` ends the connection. */
  #watch(cut: () => void): { heard: () => void; stop: () => void } {
    const { delayedAfterMs = 20_000, deadAfterMs = 45_000, hiddenAfterMs = 60_000 } = this.#options
    let last = Date.now()
    let hiddenSince: number | null = null
    const timer = setInterval(
      () => {
        const now = Date.now()
        hiddenSince = this.#visibility.hidden() ? (hiddenSince ?? now) : null
        if (now - last > deadAfterMs || (hiddenSince !== null && now - hiddenSince > hiddenAfterMs)) cut()
        else if (now - last > delayedAfterMs && this.#state.phase === 'live') this.#enter('delayed', null)
      },
      Math.min(1000, delayedAfterMs / 4),
    )
    const heard = () => {
      last = Date.now()
      if (this.#state.phase === 'delayed') this.#enter('live', null)
    }
    return { heard, stop: () => clearInterval(timer) }
  }
}

/** The position that a `reset` frame goes back to, or undefined when it names none. */
export function resetAfter(data: string): string | undefined {
  const body = jsonOf(data)
  const after = isJsonObject(body) ? body['after'] : undefined
  return typeof after === 'string' && parsePosition(after) ? after : undefined
}

async function refusal(response: Response): Promise<Outcome> {
  const text = await response.text()
  const problem = problemOf(response.status, jsonOf(text), response.headers.get('retry-after'))
  const passing = response.status >= 500 || response.status === 429 || response.status === 408 || response.ok
  return { end: passing ? 'retry' : 'failed', problem }
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    // Not JSON (a proxy's page): the status says enough.
    return undefined
  }
}
