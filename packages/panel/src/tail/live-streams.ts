import type { FastifyReply, FastifyRequest } from 'fastify'
import { isOf, type Authenticator } from '../auth/authenticator.ts'
import type { Principal } from '../auth/permissions.ts'
import { ProblemError } from '../server/problems.ts'
import { commentFrame, retryFrame } from './frames.ts'
import { LiveStream } from './live-stream.ts'

/** Limits of the open streams, from the settings. */
export type StreamLimits = {
  readonly streamsMax: number
  readonly streamsPerUserMax: number
  readonly blockedMsMax: number
  readonly recheckMs: number
}

/** Told of each stream that opens and ends, for the metrics. */
export type StreamCounts = { opened(): void; closed(why: string): void }

const PING_MS = 15_000
const RETRY_MS = 2_000

/** Every open stream of this process: counts them, keeps them alive, closes them when their reader must go. */
export class LiveStreams {
  readonly #open = new Map<LiveStream, { readonly principal: Principal; readonly allowed: (principal: Principal) => Promise<boolean> }>()
  readonly #auth: Authenticator
  readonly #limits: StreamLimits
  readonly #counts: StreamCounts
  readonly #timers: NodeJS.Timeout[]
  readonly #stopListening: () => void
  #closing = false

  constructor(auth: Authenticator, limits: StreamLimits, counts: StreamCounts) {
    this.#auth = auth
    this.#limits = limits
    this.#counts = counts
    this.#stopListening = auth.onRevoked((what) => this.#endWhere((principal) => isOf(principal, what), 'revoked'))
    this.#timers = [setInterval(() => this.#ping(), PING_MS), setInterval(() => void this.#recheck(), limits.recheckMs)]
    for (const timer of this.#timers) timer.unref()
  }

  get size(): number {
    return this.#open.size
  }

  /**
   * Turns a reply into a stream; `allowed` is asked again every few minutes, and `position` gives what the keep-alive comment says. Problem 429 `too_many_streams`, 503
   * `closing`.
   */
  open(
    request: FastifyRequest,
    reply: FastifyReply,
    reader: { readonly principal: Principal; readonly allowed: (principal: Principal) => Promise<boolean>; readonly position: () => string },
  ): LiveStream {
    this.#admit(reader.principal)
    reply.hijack()
    const headers = { ...reply.getHeaders(), 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
    reply.raw.writeHead(200, headers as Record<string, string>)
    request.raw.socket.setNoDelay(true)
    const stream = new LiveStream(reply.raw, reader.position, this.#limits.blockedMsMax)
    this.#open.set(stream, reader)
    this.#counts.opened()
    stream.signal.addEventListener('abort', () => {
      if (this.#open.delete(stream)) this.#counts.closed(stream.closedBy)
    })
    stream.push(retryFrame(RETRY_MS))
    return stream
  }

  /** Ends every stream with a word on when to come again, spread out so that not all come at once. */
  close(): void {
    this.#closing = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#stopListening()
    for (const stream of this.#open.keys()) stream.end(retryFrame(500 + Math.floor(Math.random() * 2_500)), 'closing')
  }

  #admit(principal: Principal): void {
    if (this.#closing) throw new ProblemError(503, 'closing', 'This panel is shutting down; connect again in a moment.', { retryAfterS: 2 })
    const own = [...this.#open.values()].filter((one) => one.principal.userId === principal.userId).length
    if (own < this.#limits.streamsPerUserMax && this.#open.size < this.#limits.streamsMax) return
    const limit = own >= this.#limits.streamsPerUserMax ? `${own} live streams of yours` : `${this.#open.size} live streams`
    throw new ProblemError(429, 'too_many_streams', `${limit} are open, which is the limit; close some first.`, { retryAfterS: 10 })
  }

  #ping(): void {
    for (const stream of this.#open.keys()) stream.push(commentFrame(stream.position()))
  }

  #endWhere(strikes: (principal: Principal) => boolean, why: string): void {
    for (const [stream, { principal }] of this.#open) if (strikes(principal)) stream.end(undefined, why)
  }

  async #recheck(): Promise<void> {
    for (const [stream, { principal, allowed }] of this.#open) {
      try {
        const now = await this.#auth.recheck(principal)
        if (!now || !(await allowed(now))) stream.end(undefined, 'revoked')
      } catch {
        // The store cannot say now. The reader comes again by its cursor and is asked then.
        stream.end(undefined, 'unsure')
      }
    }
  }
}
