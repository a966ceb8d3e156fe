import { isJsonObject, toJson, type Json } from '@koco/core'
import type { ChatMessage, SessionLabels } from '@koco/storage'
import { randomBytes } from 'node:crypto'
import { nullableField, SessionError, textField, type Fields } from './session-error.ts'

const ROLE_MAX = 32
const MESSAGES_MAX = 20_000
const TITLE_MAX = 200

/** The messages of an import, each checked, as they were given; one without an id gets one. */
export function givenMessages(value: unknown): ChatMessage[] {
  if (!Array.isArray(value)) throw new SessionError(400, 'JSON must contain a "messages" array')
  if (value.length > MESSAGES_MAX) throw new SessionError(400, `JSON "messages" must have at most ${MESSAGES_MAX} rows`)
  return value.map((row: unknown, index) => givenMessage(row, `messages[${index}]`))
}

/** The tool calls of an import. */
export function givenToolCalls(value: unknown): Json[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new SessionError(400, 'JSON "tool_calls" must be an array')
  return value.map((call: unknown, index) => {
    if (!isJsonObject(call)) throw new SessionError(400, `tool_calls[${index}] must be an object`)
    return toJson(call)
  })
}

/** What may be said of a session in a body; fields that are not there are left as they are. */
export function givenLabels(fields: Fields): Partial<SessionLabels> {
  const title = givenTitle(fields)
  const project = nullableField(fields, 'project_id')
  const found: { -readonly [K in keyof SessionLabels]?: SessionLabels[K] } = {
    ...(title !== undefined && { title }),
    ...(project !== undefined && { project }),
  }
  for (const name of ['model', 'workspace', 'personality', 'flow'] as const) {
    const value = nullableField(fields, name)
    if (value !== undefined) found[name] = value === '' ? null : value
  }
  return found
}

/** A title, without space around it; undefined when there is none. */
export function givenTitle(fields: Fields): string | undefined {
  const title = textField(fields, 'title', TITLE_MAX)?.trim()
  return title === '' ? undefined : title
}

/** What a person says: a text, or parts of several kinds. */
export function givenWords(value: unknown, attachments: unknown, nowS: number): ChatMessage {
  const empty = value === undefined || value === null || (typeof value === 'string' && value.trim() === '') || (Array.isArray(value) && value.length === 0)
  if (empty) throw new SessionError(400, 'message is required')
  if (attachments !== undefined && attachments !== null && !Array.isArray(attachments)) throw new SessionError(400, 'attachments must be an array')
  const message = givenMessage({ role: 'user', content: value }, 'message')
  return { ...message, timestamp: nowS, ...(Array.isArray(attachments) && attachments.length > 0 && { attachments: toJson(attachments) }) }
}

/** A new id for something in a session. */
export function newId(): string {
  return randomBytes(8).toString('hex')
}

/** A new id for a session: 12 hex digits. */
export function newSessionId(): string {
  return randomBytes(6).toString('hex')
}

function givenMessage(row: unknown, where: string): ChatMessage {
  if (!isJsonObject(row)) throw new SessionError(400, `${where} must be an object`)
  const { id, role, content = '' } = row
  if (typeof role !== 'string' || role === '' || role.length > ROLE_MAX) throw new SessionError(400, `${where}.role must be a non-empty string`)
  if (!isContent(content)) throw new SessionError(400, `${where}.content must be a string, null or an array of strings and objects`)
  if (id !== undefined && (typeof id !== 'string' || id === '' || id.length > 200)) throw new SessionError(400, `${where}.id must be a non-empty string`)
  return { ...(toJson(row) as { readonly [field: string]: Json }), id: id ?? newId(), role, content: toJson(content) }
}

function isContent(content: unknown): content is Json {
  if (content === null || typeof content === 'string') return true
  return Array.isArray(content) && content.every((part: unknown) => typeof part === 'string' || isJsonObject(part))
}
