import type { Json } from '@koco/core'
import type { ChatSession } from '@koco/storage'
import { givenWords, newId } from '../chat/given.ts'
import { mustBeDone, nullableField, SessionError, textField } from '../chat/session-error.ts'
import type { Frame } from './frames.ts'
import { mustAttach, sessionFor, type Message, type MessageDeps } from './message.ts'
import { parseSessionPosition, type SessionPosition } from './session-position.ts'

const STEER_MAX = 16_000
/** What `session_control` does, in its `action`. */
const ACTIONS = ['attach', 'detach', 'status', 'cancel', 'steer', 'queue', 'end'] as const

/** Follows a session, stops following, tells how it stands, stops its turn, speaks into it or after it. */
export async function controlSession(deps: MessageDeps, message: Message): Promise<Frame> {
  const asked = message.data['action'] ?? message.content
  const action = ACTIONS.find((one) => one === asked)
  if (!action) throw new SessionError(400, `action must be one of ${ACTIONS.join(', ')}`)
  const isRead = action === 'attach' || action === 'detach' || action === 'status' || action === 'end'
  const session = await sessionFor(deps, message, isRead ? 'sessions.read' : 'sessions.write')
  switch (action) {
    case 'attach':
      return attachTo(deps, message, session)
    case 'detach':
    case 'end':
      return leave(message, session, action === 'end' ? 'ended' : 'detached')
    case 'cancel':
      return cancel(deps, message, session)
    case 'steer':
      return steer(deps, message, session)
    case 'queue':
      return queue(deps, message, session)
    default:
      return statusFrame(message, session, session.turn ? 'running' : 'idle')
  }
}

async function attachTo(deps: MessageDeps, message: Message, session: ChatSession): Promise<Frame> {
  const attached = await mustAttach(deps, message.at, session, givenPosition(message.data['position'] ?? null))
  // The answer goes out before what is followed.
  setImmediate(attached.begin)
  return statusFrame(message, session, session.turn ? 'running' : 'idle', { attached: true, reset: attached.isReset })
}

function leave({ at, ...message }: Message, session: ChatSession, status: string): Frame {
  const frame = statusFrame({ at, ...message }, session, status)
  at.attachments.get(session.id)?.close()
  at.attachments.delete(session.id)
  if (at.current === session.id) at.current = null
  return frame
}

async function cancel({ context }: MessageDeps, message: Message, session: ChatSession): Promise<Frame> {
  if (!session.turn) return statusFrame(message, session, 'idle', { cancelled: false })
  const { outcome } = await context.launcher.cancel(session.turn.fid, message.principal.user, 'stopped in the chat')
  return statusFrame(message, session, 'running', { cancelled: outcome === 'accepted' })
}

async function steer({ context }: MessageDeps, message: Message, { id }: ChatSession): Promise<Frame> {
  const text = textField(message.data, 'text', STEER_MAX) ?? message.content
  if (text === '') throw new SessionError(400, 'text is required')
  const steerId = newId()
  const { session } = mustBeDone(await context.store.sessions.change(id, { do: 'steer', id: steerId, text }, { at: context.clock() / 1000 }), '')
  await context.signals.publish([{ topic: 'control', fid: session.turn?.fid ?? '' }])
  return statusFrame(message, session, 'running', { steer_id: steerId })
}

async function queue(deps: MessageDeps, message: Message, session: ChatSession): Promise<Frame> {
  const { context } = deps
  const { begin } = await mustAttach(deps, message.at, session)
  begin()
  const at = context.clock() / 1000
  const words = givenWords(message.data['message'] ?? message.content, message.data['attachments'], at)
  const waiting = { do: 'queue', id: newId(), message: words, model: nullableField(message.data, 'model') ?? null } as const
  const done = mustBeDone(await context.store.sessions.change(session.id, waiting, { at }), '')
  const now = (await context.conversations.look(session.id)) ?? done.session
  return statusFrame(message, now, now.turn ? 'running' : 'idle', { queued: now.queued, queue_id: waiting.id })
}

function statusFrame({ at }: Message, session: ChatSession, status: string, more: Readonly<Record<string, Json>> = {}): Frame {
  const { id, title, model, turn, messageCount, queued, revision } = session
  const position = at.attachments.get(id)?.position ?? null
  const data = { session_id: id, status, title, model, turn_id: turn?.fid ?? null, message_count: messageCount, queued, revision, position, ...more }
  return { type: 'session_status', content: status, data }
}

function givenPosition(value: Json): SessionPosition | undefined {
  if (value === null) return undefined
  const position = typeof value === 'string' ? parseSessionPosition(value) : undefined
  if (!position) throw new SessionError(400, 'position must be one that a frame had: <turn>/<epoch>-<seq>')
  return position
}
