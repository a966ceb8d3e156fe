import type { Json } from '../json.ts'

/** A conversation, as lists show it. Times are unix seconds. */
export type Session = {
  readonly session_id: string
  readonly title: string
  readonly model: string | null
  readonly workspace: string | null
  readonly personality: string | null
  readonly project_id: string | null
  /** The flow that answers; null for the standard one. */
  readonly flow: string | null
  readonly pinned: boolean
  readonly archived: boolean
  readonly parent_session_id: string | null
  readonly message_count: number
  readonly created_at: number
  readonly updated_at: number
  /** Given back as `expected_revision`, a request acts only on what its sender has seen. */
  readonly revision: number
  /** How many undos may be redone. */
  readonly redoable: number
  readonly queued: number
  /** The run of the turn that is under way. */
  readonly active_stream_id: string | null
  /** What of it cannot be read any more, in a sentence; absent for one that is whole. */
  readonly damage?: string
}

/** A message as it was given, with an id. */
export type Message = { readonly id: string; readonly role: string; readonly content: Json; readonly [field: string]: Json }

/** A session with the last of its messages; `_messages_offset` is the index of the first of them. */
export type Conversation = Session & {
  readonly messages: readonly Message[]
  readonly tool_calls: readonly Json[]
  readonly _messages_truncated: boolean
  readonly _messages_offset: number
  /** Entries of its log that cannot be read: then nothing more can be said. */
  readonly _damaged?: readonly number[]
}

/** What a session has spent on models; the cost is in US dollars, null when one call has no known price. */
export type SessionUsage = {
  readonly input_tokens: number
  readonly output_tokens: number
  readonly total_tokens: number
  readonly estimated_cost: number | null
  readonly model: string | null
}

/** A session that a search found, and the place. */
export type SessionHit = Session & { readonly match_type: 'title' | 'content'; readonly preview: string; readonly message_id: string | null }

/** What waits to be said after the running turn, the next first; `steers`: what was said into that turn, of which it has heard what its timeline has as a message of the same id. */
export type SessionQueue = {
  readonly ok: true
  readonly session_id: string
  readonly queue: readonly { readonly id: string; readonly message: Message }[]
  readonly steers: readonly { readonly id: string; readonly text: string }[]
}
