import { isJsonObject, parseJson, type Json } from '@koco/core'

/** What a client may send. */
const IN_TYPES = ['auth', 'chat_message', 'file_upload', 'file_list', 'workspace_info', 'create_session', 'session_control', 'ping'] as const

/** One of `IN_TYPES`. */
export type InType = (typeof IN_TYPES)[number]

/** What a client is sent. */
export type OutType = 'auth_success' | 'agent_response' | 'file_uploaded' | 'file_list' | 'workspace_info' | 'session_created' | 'session_status' | 'error'

/** The data of a frame. */
export type FrameData = { readonly [field: string]: Json }

/** A frame before it is sent. `data.position` says where its session is: what a client resumes from; null for a frame of no session. */
export type Frame = { readonly type: OutType; readonly content: string; readonly data: FrameData }

/** What a client sent, or what is wrong with it. */
export type Incoming =
  | { readonly ok: true; readonly type: InType; readonly content: string; readonly data: FrameData }
  | { readonly ok: false; readonly code: 'bad_json' | 'bad_envelope' | 'unknown_type'; readonly message: string; readonly data: FrameData }

/** A frame as text: `{type, content, timestamp, data}`, the timestamp in unix seconds. */
export function frameText({ type, content, data }: Frame, nowMs: number): string {
  return JSON.stringify({ type, content, timestamp: nowMs / 1000, data: { position: null, ...data } })
}

/** A frame that says what is wrong. `code` is stable. */
export function errorFrame(code: string, message: string, more: FrameData = {}): Frame {
  return { type: 'error', content: message, data: { ...more, code, message } }
}

/** Reads what a client sent. */
export function parseIncoming(text: string): Incoming {
  let value: Json
  try {
    value = parseJson(text)
  } catch {
    return { ok: false, code: 'bad_json', message: 'This is not JSON. Send {"type", "content", "timestamp", "data"}.', data: {} }
  }
  if (!isJsonObject(value)) return { ok: false, code: 'bad_envelope', message: 'Send a JSON object: {"type", "content", "timestamp", "data"}.', data: {} }
  const { type, content = '', data = {} } = value
  const given = isJsonObject(data) ? data : {}
  if (typeof type !== 'string') return { ok: false, code: 'bad_envelope', message: '"type" must be a string.', data: given }
  const known = IN_TYPES.find((one) => one === type)
  if (!known)
    return { ok: false, code: 'unknown_type', message: `"${type.slice(0, 80)}" is no type of message; there are ${IN_TYPES.join(', ')}.`, data: given }
  if (content !== null && typeof content !== 'string') return { ok: false, code: 'bad_envelope', message: '"content" must be a string.', data: given }
  if (data !== null && !isJsonObject(data)) return { ok: false, code: 'bad_envelope', message: '"data" must be an object.', data: given }
  return { ok: true, type: known, content: content ?? '', data: given }
}
