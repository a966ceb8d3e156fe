import type { Json } from '@koco/core'
import { can } from '../auth/permissions.ts'
import { givenLabels, newSessionId } from '../chat/given.ts'
import { say } from '../chat/say.ts'
import { SessionError } from '../chat/session-error.ts'
import { ProblemError } from '../server/problems.ts'
import { sessionJson } from '../shapes/session.ts'
import type { SocketConnection } from './connection.ts'
import { controlSession } from './control.ts'
import type { Frame, InType } from './frames.ts'
import { mustAttach, sessionFor, type Handler, type Message, type MessageDeps } from './message.ts'

/** The handlers by type of message. */
export const HANDLERS: Readonly<Record<Exclude<InType, 'auth'>, Handler>> = {
  chat_message: sayInSession,
  file_upload: upload,
  file_list: listFiles,
  workspace_info: tellWorkspace,
  create_session: createSession,
  session_control: controlSession,
  ping: async (_deps, { at }) => {
    const sessions = [...at.attachments.values()].map(({ session, position }) => ({ session_id: session, position }))
    return { type: 'session_status', content: 'pong', data: { status: 'pong', session_id: at.current, sessions } }
  },
}

async function sayInSession(deps: MessageDeps, message: Message): Promise<Frame> {
  const { at, principal, content, data } = message
  const session = await sessionFor(deps, message, 'sessions.write')
  // Followed before anything is said, so that no answer is too fast to be seen.
  const { attachment, begin } = await mustAttach(deps, at, session)
  begin()
  const said = await say(deps.context, principal.user, { ...data, session_id: session.id, message: data['message'] ?? content })
  const { stream_id, turn_id, title, revision } = said
  const more = { session_id: session.id, status: 'accepted', stream_id, turn_id, title, revision, position: attachment.position }
  return { type: 'session_status', content: 'accepted', data: more }
}

async function createSession(deps: MessageDeps, { at, principal, data }: Message): Promise<Frame> {
  if (!can(principal, 'sessions.write')) throw new ProblemError(403, 'not_allowed', `The role ${principal.role} may not do this (sessions.write).`)
  const { store, clock } = deps.context
  const session = await store.sessions.create({ ...givenLabels(data), id: newSessionId(), user: principal.user, at: clock() / 1000 })
  at.current = session.id
  const { attachment, begin } = await mustAttach(deps, at, session)
  begin()
  return {
    type: 'session_created',
    content: session.id,
    data: { session_id: session.id, session: sessionJson(session), position: attachment.position },
  }
}

async function upload(deps: MessageDeps, message: Message): Promise<Frame> {
  const { at, principal, content, data } = message
  const { id } = await sessionFor(deps, message, 'sessions.write')
  const path = data['path'] ?? data['filename'] ?? data['name']
  if (typeof path !== 'string') throw new SessionError(400, 'path is required: where in the workspace the file goes')
  const text = typeof data['content'] === 'string' ? data['content'] : content
  const file = await deps.context.workspaces.write({ user: principal.user, session: id }, path, bytesOf(text, data['encoding'] ?? 'base64'))
  const { size, type } = file
  return { type: 'file_uploaded', content: file.path, data: { session_id: id, path: file.path, size, type, position: positionIn(at, id) } }
}

async function listFiles(deps: MessageDeps, message: Message): Promise<Frame> {
  const { id } = await sessionFor(deps, message, 'sessions.read')
  const files = await deps.context.workspaces.list({ user: message.principal.user, session: id })
  const listed = files.map(({ path, size, type, modifiedAt }) => ({ path, size, type, modified_at: modifiedAt }))
  return { type: 'file_list', content: String(files.length), data: { session_id: id, files: listed, position: positionIn(message.at, id) } }
}

async function tellWorkspace(deps: MessageDeps, message: Message): Promise<Frame> {
  const { id } = await sessionFor(deps, message, 'sessions.read')
  const { workspaces } = deps.context
  const { files, bytes } = await workspaces.use({ user: message.principal.user, session: id })
  const { fileBytesMax, bytesMax, filesMax } = workspaces.limits
  const limits = { file_bytes_max: fileBytesMax, bytes_max: bytesMax, files_max: filesMax }
  return { type: 'workspace_info', content: '', data: { session_id: id, files, bytes, limits, position: positionIn(message.at, id) } }
}

function positionIn(at: SocketConnection, session: string): string | null {
  return at.attachments.get(session)?.position ?? null
}

function bytesOf(text: string, encoding: Json): Buffer {
  if (encoding === 'utf8') return Buffer.from(text, 'utf8')
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
  if (encoding === 'base64' && isBase64) return Buffer.from(text, 'base64')
  throw new SessionError(400, 'content must be base64; for plain text send data.encoding "utf8"')
}
