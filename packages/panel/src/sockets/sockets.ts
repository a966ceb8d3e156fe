import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { isOf } from '../auth/authenticator.ts'
import { newId } from '../auth/secrets.ts'
import type { PanelContext } from '../context.ts'
import { ProblemError } from '../server/problems.ts'
import { securityHeaders } from '../server/security-headers.ts'
import { createAdmission, type Admission } from './admission.ts'
import { CLOSE, type CloseReason } from './close-codes.ts'
import { SocketConnection } from './connection.ts'
import { createConversation, type SocketConversation } from './conversation.ts'
import { createHeldLeases, type HeldLeases } from './held-leases.ts'
import { refuseUpgrade } from './refuse.ts'
import { createLiveWords, type LiveWords } from './live-words.ts'
import { createSessionNews, type SessionNews } from './session-news.ts'
import { createSharedReads } from './shared-reads.ts'

/** The sockets of this panel. */
export type Sockets = {
  readonly size: number
  /** Takes no new ones, lets what is under way end, closes with 1001 and gives the leases back: within `graceMs`, and never longer than 30 s. */
  close(graceMs: number): Promise<void>
}

const PATH = '/ws'
/** A file of 10 MiB as base64, and its envelope. */
const PAYLOAD_BYTES_MAX = 14 * 2 ** 20
const CLOSING_MS_MAX = 25_000
const GOODBYE_MS = 3_000
const LIMITS = { unsentBytes: 64 * 1024, unsentBytesMax: 1024 * 1024 }

/** Serves `/ws` on a panel's HTTP server. */
export async function createSockets(server: Server, context: PanelContext): Promise<Sockets> {
  const { settings, signals, auth, log, conversations, store, wakeups } = context
  const leases = createHeldLeases({ leases: context.leases, max: settings.socketsPerUserMax, onReconnect: (listener) => signals.onReconnect(listener), log })
  const news = await createSessionNews(signals, conversations)
  const admission = createAdmission({ context, tickets: context.tickets, leases })
  const words = createLiveWords(signals, log)
  const attaching = { store, conversations, news, wakeups, reads: createSharedReads(store.reader), words, lookAgainMs: settings.lookAgainMs, log }
  const conversation = createConversation({ context, attaching, admission, leases })
  return new OpenSockets({ server, context, leases, news, words, admission, conversation, auth })
}

type Parts = {
  readonly server: Server
  readonly context: PanelContext
  readonly leases: HeldLeases
  readonly news: SessionNews
  readonly words: LiveWords
  readonly admission: Admission
  readonly conversation: SocketConversation
  readonly auth: PanelContext['auth']
}

class OpenSockets implements Sockets {
  readonly #parts: Parts
  readonly #open = new Set<SocketConnection>()
  readonly #upgrades = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: PAYLOAD_BYTES_MAX, perMessageDeflate: false })
  readonly #headers: Readonly<Record<string, string>>
  readonly #timers: NodeJS.Timeout[]
  readonly #stops: (() => void)[]
  #closing = false

  constructor(parts: Parts) {
    this.#parts = parts
    const { settings } = parts.context
    this.#headers = securityHeaders(settings.publicUrl)
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => void this.#upgrade(request, socket, head)
    parts.server.on('upgrade', onUpgrade)
    this.#stops = [
      () => parts.server.removeListener('upgrade', onUpgrade),
      parts.auth.onRevoked((what) => this.#closeWhere((one) => one.principal !== null && isOf(one.principal, what), CLOSE.badToken)),
    ]
    this.#timers = [setInterval(() => this.#ping(), settings.pingMs), setInterval(() => void this.#recheck(), settings.recheckMs)]
    for (const timer of this.#timers) timer.unref()
  }

  get size(): number {
    return this.#open.size
  }

  async close(graceMs: number): Promise<void> {
    this.#closing = true
    for (const timer of this.#timers) clearInterval(timer)
    const within = Math.min(graceMs, CLOSING_MS_MAX)
    const under = Promise.allSettled([...this.#open].map(({ working }) => working))
    await Promise.race([under, delay(within, undefined, { ref: false })])
    const gone = Promise.all([...this.#open].map((one) => new Promise<void>((resolve) => one.socket.once('close', () => resolve()))))
    this.#closeWhere(() => true, CLOSE.goingAway)
    await Promise.race([gone, delay(Math.min(within, GOODBYE_MS), undefined, { ref: false })])
    for (const { socket } of this.#open) socket.terminate()
    for (const stop of this.#stops) stop()
    this.#parts.news.close()
    this.#parts.words.close()
    await this.#parts.leases.close()
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { context, admission, leases } = this.#parts
    const id = newId()
    let isOpen = false
    // A client that leaves before it is let in leaves no count behind.
    socket.once('close', () => !isOpen && void leases.release(id))
    socket.on('error', () => socket.destroy())
    try {
      const path = (request.url ?? '').replace(/[?#].*$/s, '')
      if (path !== PATH) throw new ProblemError(404, 'unknown_route', `There is no socket at ${path.slice(0, 200)}; it is at ${PATH}.`)
      if (this.#closing) throw new ProblemError(503, 'closing', 'This panel is shutting down; connect again in a moment.', { retryAfterS: 2 })
      if (this.#open.size >= context.settings.socketsMax) {
        throw new ProblemError(503, 'too_many_sockets', `${this.#open.size} connections are open here, which is the limit.`, { retryAfterS: 5 })
      }
      const principal = await admission.admit(request, id)
      if (socket.destroyed) return void leases.release(id)
      this.#upgrades.handleUpgrade(request, socket, head, (ws) => {
        isOpen = true
        const limits = { ...LIMITS, blockedMsMax: context.settings.blockedMsMax }
        const connection = new SocketConnection(id, ws, socket, limits, context.clock)
        connection.live = new URL(request.url ?? '/', 'http://localhost').searchParams.get('live') === '1'
        this.#add(connection)
        this.#parts.conversation.begin(connection, socket, principal)
      })
    } catch (error) {
      const status = refuseUpgrade(socket, error, id, this.#headers)
      context.metrics.sockets.refused(status)
      if (status === 500) context.log.error({ err: error, reqId: id }, 'a socket could not be opened')
      await leases.release(id)
    }
  }

  #add(connection: SocketConnection): void {
    const { metrics } = this.#parts.context
    this.#open.add(connection)
    metrics.sockets.opened()
    connection.socket.on('close', (code: number) => {
      this.#open.delete(connection)
      metrics.sockets.closed(connection.closedBy ?? code)
      for (const attachment of connection.attachments.values()) attachment.close()
      connection.attachments.clear()
      void this.#parts.leases.release(connection.id)
    })
    // What the client broke (a frame too large, bad text) the library answers by its closing code.
    connection.socket.on('error', () => undefined)
    connection.socket.on('pong', () => (connection.isAlive = true))
  }

  #ping(): void {
    for (const connection of this.#open) {
      if (!connection.isAlive) connection.socket.terminate()
      else if (connection.isOpen) connection.socket.ping()
      connection.isAlive = false
    }
  }

  #closeWhere(strikes: (connection: SocketConnection) => boolean, reason: CloseReason): void {
    for (const connection of this.#open) if (strikes(connection)) connection.close(reason)
  }

  async #recheck(): Promise<void> {
    const { auth } = this.#parts
    for (const connection of this.#open) {
      if (!connection.principal) continue
      // While the store cannot say, who is here stays.
      const stands = await auth.recheck(connection.principal).catch(() => connection.principal ?? undefined)
      if (!stands) connection.close(CLOSE.badToken)
    }
  }
}
