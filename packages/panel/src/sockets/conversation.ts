import { KocoError } from '@koco/core'
import type { Duplex } from 'node:stream'
import type { RawData } from 'ws'
import type { Principal } from '../auth/permissions.ts'
import { SessionError } from '../chat/session-error.ts'
import type { PanelContext } from '../context.ts'
import { problemOf } from '../server/problems.ts'
import type { Admission } from './admission.ts'
import type { AttachDeps } from './attach.ts'
import { CLOSE } from './close-codes.ts'
import type { SocketConnection } from './connection.ts'
import { failureFrame } from './failure.ts'
import { errorFrame, parseIncoming, type Frame, type Incoming } from './frames.ts'
import type { HeldLeases } from './held-leases.ts'
import { HANDLERS } from './messages.ts'

/** Talks with the client of an open socket. */
export type SocketConversation = {
  /** Greets who is known already, and waits for the `auth` message of who is not; then does what the messages say, one after the other. */
  begin(at: SocketConnection, raw: Duplex, principal: Principal | null): void
}

/** What it stands on. */
export type SocketConversationDeps = {
  readonly context: PanelContext
  readonly attaching: AttachDeps
  readonly admission: Admission
  readonly leases: HeldLeases
}

/** Messages of one client that may wait; beyond, nothing more is read from it. */
const WAITING_MAX = 16
/** What somebody may send who has not said who they are. */
const UNKNOWN_BYTES_MAX = 16 * 1024

/** The conversation over the handlers of messages. */
export function createConversation({ context, attaching, admission, leases }: SocketConversationDeps): SocketConversation {
  const { settings, log, metrics } = context

  function welcome(at: SocketConnection, principal: Principal): void {
    at.principal = principal
    at.send({
      type: 'auth_success',
      content: principal.user,
      data: { user: principal.user, role: principal.role, connection_id: at.id, connections_max: settings.socketsPerUserMax, version: context.version },
    })
  }

  async function authenticate(at: SocketConnection, message: Extract<Incoming, { ok: true }>): Promise<void> {
    if (at.principal) return welcome(at, at.principal)
    const { data, content } = message
    const token = [data['token'], data['ticket'], content].find((one): one is string => typeof one === 'string' && one !== '')
    try {
      welcome(at, await admission.admitToken(token?.replace(/^Bearer +/i, '') ?? '', at.id))
      // Closed meanwhile: what was counted for it is given back.
      if (!at.isOpen) await leases.release(at.id)
    } catch (error) {
      const { status } = problemOf(error, at.id)
      at.send(failureFrame(error, at.id, about(message)))
      at.close(status === 401 ? CLOSE.badToken : status === 429 ? CLOSE.tooMany : CLOSE.unavailable)
    }
  }

  async function answer(at: SocketConnection, message: Incoming): Promise<void> {
    if (!message.ok) return at.send(errorFrame(message.code, message.message, about(message)))
    if (typeof message.data['live'] === 'boolean') at.live = message.data['live']
    if (message.type === 'auth') return authenticate(at, message)
    const { principal } = at
    if (!principal) return at.send(errorFrame('not_signed_in', 'Send "auth" with a token first.', about(message)))
    try {
      const frame = await HANDLERS[message.type]({ context, attaching }, { at, principal, content: message.content, data: message.data })
      at.send(withReply(frame, message))
    } catch (error) {
      if (!(error instanceof KocoError) && !(error instanceof SessionError)) log.error({ err: error, reqId: at.id }, 'a message on a socket failed')
      at.send(failureFrame(error, at.id, about(message)))
    }
  }

  function listen(at: SocketConnection): void {
    let waiting = 0
    at.socket.on('message', (raw: RawData, isBinary: boolean) => {
      if (at.closedBy !== null) return
      waiting += 1
      if (waiting >= WAITING_MAX) at.socket.pause()
      // Of a binary frame nothing is understood.
      const message = parseIncoming(isBinary ? '' : textOf(raw))
      metrics.sockets.message(message.ok ? message.type : 'unknown')
      at.working = at.working
        .then(() => answer(at, message))
        .finally(() => {
          waiting -= 1
          if (at.socket.isPaused && waiting < WAITING_MAX / 2) at.socket.resume()
        })
    })
  }

  return {
    begin(at, raw, principal) {
      listen(at)
      if (principal) return welcome(at, principal)
      awaitAuth(at, raw, settings.authFirstMs)
    },
  }
}

/** Closes who does not say who they are in time, and cuts who sends much before they do. */
function awaitAuth(at: SocketConnection, raw: Duplex, withinMs: number): void {
  let bytes = 0
  const count = (chunk: Buffer): void => {
    bytes += chunk.length
    if (at.principal) raw.removeListener('data', count)
    else if (bytes > UNKNOWN_BYTES_MAX) at.socket.terminate()
  }
  raw.on('data', count)
  const timer = setTimeout(() => {
    if (!at.principal) at.close(CLOSE.authTimeout)
  }, withinMs)
  at.socket.once('close', () => clearTimeout(timer))
}

/** What tells a client which of its messages an answer is to. */
function about({ data }: Incoming): Record<string, string> {
  const { request_id: id, session_id: session } = data
  return { ...(typeof id === 'string' && { reply_to: id.slice(0, 200) }), ...(typeof session === 'string' && { session_id: session.slice(0, 64) }) }
}

function withReply(frame: Frame, message: Incoming): Frame {
  const { reply_to: reply } = about(message)
  return reply === undefined ? frame : { ...frame, data: { ...frame.data, reply_to: reply } }
}

function textOf(raw: RawData): string {
  if (Buffer.isBuffer(raw)) return raw.toString('utf8')
  return Array.isArray(raw) ? Buffer.concat(raw).toString('utf8') : Buffer.from(raw).toString('utf8')
}
