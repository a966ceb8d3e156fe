import type * as api from '@koco/core/api'
import type { Json } from '@koco/core'
import { textOfContent, type ChatMessage, type ChatSession, type Conversation } from '@koco/storage'
import { z } from 'zod'
import { costOf, type Price } from '../chat/prices.ts'
import { sumTokens } from '../chat/settle.ts'
import { json } from './json.ts'
import { shapeOf } from './shape-of.ts'

/** A message in answers: as it was given, with an id. */
export const Message = shapeOf<api.Message>()(z.object({ id: z.string(), role: z.string(), content: json }).catchall(json).meta({ id: 'Message' }))

/** A session in answers. Times are unix seconds. */
export const SessionShape = shapeOf<api.Session>()(
  z
    .object({
      session_id: z.string().describe('12 hex digits'),
      title: z.string(),
      model: z.string().nullable(),
      workspace: z.string().nullable(),
      personality: z.string().nullable(),
      project_id: z.string().nullable(),
      flow: z.string().nullable().describe('the flow that answers; null for the standard one'),
      pinned: z.boolean(),
      archived: z.boolean(),
      parent_session_id: z.string().nullable(),
      message_count: z.number().int(),
      created_at: z.number(),
      updated_at: z.number(),
      revision: z.number().int().describe('give it as `expected_revision` to act only on what you have seen'),
      redoable: z.number().int().describe('how many undos may be redone'),
      queued: z.number().int(),
      active_stream_id: z.string().nullable(),
      damage: z.string().optional().describe('what of it cannot be read any more, in a sentence; absent for a session that is whole'),
    })
    .meta({ id: 'Session' }),
)

/** A session with its messages. */
export const SessionWithMessages = shapeOf<api.Conversation>()(
  SessionShape.extend({
    messages: z.array(Message),
    tool_calls: z.array(json),
    _messages_truncated: z.boolean(),
    _messages_offset: z.number().int(),
    _damaged: z.array(z.number().int()).optional().describe('entries of its log that cannot be read: then nothing more can be said'),
  }).meta({ id: 'SessionWithMessages' }),
)

/** What a session has spent on models. */
export const UsageShape = shapeOf<api.SessionUsage>()(
  z.object({
    input_tokens: z.number().int(),
    output_tokens: z.number().int(),
    total_tokens: z.number().int(),
    estimated_cost: z.number().nullable().describe('US dollars; null while one of the calls has no known price'),
    model: z.string().nullable(),
  }),
)

/** A session as answers show it. */
export function sessionJson(session: ChatSession): z.infer<typeof SessionShape> {
  return {
    session_id: session.id,
    title: session.title,
    model: session.model,
    workspace: session.workspace,
    personality: session.personality,
    project_id: session.project,
    flow: session.flow,
    pinned: session.pinned,
    archived: session.archived,
    parent_session_id: session.parent,
    message_count: session.messageCount,
    created_at: session.createdAt,
    updated_at: session.updatedAt,
    revision: session.revision,
    redoable: session.undone,
    queued: session.queued,
    active_stream_id: session.turn?.fid ?? null,
    ...(session.damaged.length > 0 && { damage: damageIn(session.damaged) }),
  }
}

const NAMED_MAX = 5

function damageIn(revisions: readonly number[]): string {
  const named = `${revisions.slice(0, NAMED_MAX).join(', ')}${revisions.length > NAMED_MAX ? ', …' : ''}`
  const entries = revisions.length === 1 ? `Entry ${named} of this session's log was` : `${revisions.length} entries of this session's log (${named}) were`
  return `${entries} changed or taken away outside of koco: nothing more can be said here; what can be read is shown, and can be branched, exported or deleted.`
}

/** A conversation, or the window of it that was read, as answers show it. */
export function conversationJson({ session, messages, offset, total, toolCalls }: Conversation): z.infer<typeof SessionWithMessages> {
  const unreadable = messages.filter((message) => message['damaged'] === true).length
  return {
    ...(unreadable > 0 && {
      damage: `The text of ${unreadable === 1 ? '1 message' : `${unreadable} messages`} here was changed outside of koco and cannot be read; everything else is as it was said.`,
    }),
    ...sessionJson(session),
    messages: [...messages],
    tool_calls: toolCallsOf(messages, toolCalls, total),
    _messages_truncated: offset > 0 || offset + messages.length < total,
    _messages_offset: offset,
    ...(session.damaged.length > 0 && { _damaged: [...session.damaged] }),
  }
}

/** Sums over the model calls of a session. */
export function usageJson({ session, uses }: Conversation, prices: readonly Price[]): z.infer<typeof UsageShape> {
  const { input_uncached: uncached, cache_read: read, cache_write: write, output, reasoning } = sumTokens(uses)
  const input = uncached + read + write
  const out = output + reasoning
  return {
    input_tokens: input,
    output_tokens: out,
    total_tokens: input + out,
    estimated_cost: costOf(uses, prices),
    model: session.model ?? uses.at(-1)?.model ?? null,
  }
}

/** The first 40 characters of what was taken back. */
export function previewOf(message: ChatMessage | null): string {
  const text = message ? textOfContent(message.content) : ''
  return text.length > 40 ? `${text.slice(0, 40)}...` : text
}

/** What came along at the import, as far as its messages are still there, then the calls of the messages themselves. */
function toolCallsOf(messages: readonly ChatMessage[], imported: readonly Json[], total: number): Json[] {
  const kept = imported.filter((call) => {
    const at = typeof call === 'object' && call !== null && 'assistant_msg_idx' in call ? call['assistant_msg_idx'] : undefined
    return typeof at !== 'number' || at < total
  })
  const outputs = new Map(
    messages.flatMap((message) => (typeof message['tool_call_id'] === 'string' ? [[message['tool_call_id'], message.content] as const] : [])),
  )
  const own = messages.flatMap(({ id: messageId, tool_calls: calls }) =>
    Array.isArray(calls) ? calls.flatMap((call: Json) => ownCall(call, messageId, outputs)) : [],
  )
  return [...kept, ...own]
}

function ownCall(call: Json, messageId: string, outputs: ReadonlyMap<string, Json>): Json[] {
  const { id, function: called } = (call ?? {}) as { readonly id?: Json; readonly function?: { readonly name?: Json; readonly arguments?: Json } }
  if (typeof id !== 'string' || typeof called?.name !== 'string') return []
  return [{ id, name: called.name, arguments: called.arguments ?? null, message_id: messageId, output: outputs.get(id) ?? null, done: outputs.has(id) }]
}
