import type { ChatSession } from '@koco/storage'
import { can, type Action, type Principal } from '../auth/permissions.ts'
import { sessionOf, SessionError } from '../chat/session-error.ts'
import type { PanelContext } from '../context.ts'
import { ProblemError } from '../server/problems.ts'
import { attach, type AttachDeps, type Attached } from './attach.ts'
import type { SocketConnection } from './connection.ts'
import type { Frame, FrameData } from './frames.ts'
import type { SessionPosition } from './session-position.ts'

/** A message of a client who has signed in. */
export type Message = { readonly at: SocketConnection; readonly principal: Principal; readonly content: string; readonly data: FrameData }

/** What the handlers of messages work with. */
export type MessageDeps = { readonly context: PanelContext; readonly attaching: AttachDeps }

/** Does what a message asks and gives the answer. SessionError, RefusedError and UnavailableError become `error` frames. */
export type Handler = (deps: MessageDeps, message: Message) => Promise<Frame>

/** The session that a message is about: the one it names, else the one that the connection is at. SessionError 404. */
export async function sessionFor({ context }: MessageDeps, { at, principal, data }: Message, action: Action): Promise<ChatSession> {
  if (!can(principal, action)) throw new ProblemError(403, 'not_allowed', `The role ${principal.role} may not do this (${action}).`)
  const id = data['session_id'] ?? at.current
  if (id === null) throw new SessionError(400, 'session_id is required: name a session, or create one first')
  const session = await sessionOf(context, principal.user, id)
  at.current = session.id
  return session
}

/** Lets the connection follow a session. ProblemError `too_many_sessions`. */
export async function mustAttach({ attaching }: MessageDeps, at: SocketConnection, session: ChatSession, from?: SessionPosition): Promise<Attached> {
  const attached = await attach(attaching, at, session, from)
  if (!attached) throw new ProblemError(429, 'too_many_sessions', 'This connection follows too many sessions; detach from some.')
  return attached
}
