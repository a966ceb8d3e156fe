import { assert, type Json } from '@koco/core'
import { searchWords } from '../search.ts'
import { unpackBody, type EntryBody, type EntryRow } from './entry.ts'
import { describeSession, type FoldedSession, type MessageRef, type WaitingRef } from './fold.ts'
import type { ChatMessage, Conversation, ConversationQuery, Steer, WaitingMessage } from '../port/sessions.ts'

/** The bodies of entries, by revision. */
export type Bodies = ReadonlyMap<number, EntryBody | null>

const PREVIEW_BEFORE = 40
const PREVIEW_CHARS = 160

/** The refs of the messages that a query asks for, and the index of the first. */
export function windowOf(session: FoldedSession, { before, limit }: ConversationQuery): { readonly refs: readonly MessageRef[]; readonly offset: number } {
  const end = Math.min(session.live.length, Math.max(0, before ?? session.live.length))
  const offset = limit === undefined ? 0 : Math.max(0, end - Math.max(0, limit))
  return { refs: session.live.slice(offset, end), offset }
}

/** The revisions whose bodies a conversation needs: of its messages, queue, steers and beginning. */
export function revisionsOf(session: FoldedSession, refs: readonly MessageRef[]): number[] {
  return [...new Set([1, ...refs.map(({ revision }) => revision), ...[...session.queue, ...session.steers].map(({ revision }) => revision)])]
}

/** Stored bodies by revision. */
export function bodiesOf(rows: readonly Pick<EntryRow, 'revision' | 'body' | 'body_sum'>[]): Bodies {
  return new Map(rows.map((row) => [row.revision, unpackBody(row)]))
}

/** A session with the messages of a window. */
export function conversationOf(session: FoldedSession, { refs, offset }: ReturnType<typeof windowOf>, bodies: Bodies): Conversation {
  return {
    session: describeSession(session),
    messages: refs.map((ref) => messageAt(ref, bodies)),
    offset,
    total: session.live.length,
    uses: [...session.uses],
    toolCalls: [...(bodies.get(1)?.toolCalls ?? [])],
    queue: session.queue.map((ref) => waitingAt(ref, bodies)),
    steers: session.steers.map(({ id, revision }): Steer => ({ id, text: bodies.get(revision)?.text ?? '' })),
  }
}

/** The message that a ref names; a placeholder when its body is damaged. */
export function messageAt({ id, role, revision, index }: MessageRef, bodies: Bodies): ChatMessage {
  return bodies.get(revision)?.messages?.[index] ?? { id, role, content: '', damaged: true }
}

/** What waits, as a message: a steer that was not heard is said by the person now. */
export function waitingAt({ id, revision, steer }: WaitingRef, bodies: Bodies): WaitingMessage {
  const body = bodies.get(revision)
  if (steer) return { id, message: { id, role: 'user', content: body?.text ?? '' }, model: null }
  return { id, message: body?.messages?.[0] ?? { id, role: 'user', content: '', damaged: true }, model: body?.model ?? null }
}

/** The text of a message's content: its text parts joined by one space, nothing of the others. */
export function textOfContent(content: Json): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  const texts = (content as readonly Json[]).flatMap((part) => {
    if (typeof part === 'string') return [part]
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return []
    const { type = '', text } = part as { readonly type?: Json; readonly text?: Json }
    return typeof text === 'string' && TEXT_TYPES.has(type) ? [text] : []
  })
  return texts.join(' ').trim()
}

const TEXT_TYPES: ReadonlySet<Json> = new Set<Json>(['', 'text', 'input_text', 'output_text'])

/** The first of these messages that has all words of `q`, with the place. */
export function findInMessages(messages: readonly ChatMessage[], q: string): { readonly id: string; readonly preview: string } | undefined {
  const words = searchWords(q)
  for (const { id, content } of messages) {
    const text = textOfContent(content)
    const lower = text.toLowerCase()
    if (words.every((word) => lower.includes(word))) return { id, preview: previewOf(text, lower.indexOf(words[0] ?? '')) }
  }
  return undefined
}

function previewOf(text: string, at: number): string {
  assert(at >= 0, 'a hit has a place')
  const from = Math.max(0, at - PREVIEW_BEFORE)
  const cut = text
    .slice(from, from + PREVIEW_CHARS)
    .replace(/\s+/g, ' ')
    .toWellFormed()
  return `${from > 0 ? '…' : ''}${cut.trim()}${from + PREVIEW_CHARS < text.length ? '…' : ''}`
}
