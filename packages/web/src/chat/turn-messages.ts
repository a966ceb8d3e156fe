import { isJsonObject, type Json } from '@koco/core'
import type { Message, TimelineEvent } from '@koco/core/api'
import { textOf } from './content.ts'

/** What a turn has said so far, folded from its timeline as the server folds it when the turn is over. */
export type TurnSoFar = { readonly messages: readonly Message[]; readonly error: string | null; readonly calling: string | null }

type Piece = { readonly step: string | null; readonly stale: boolean; readonly message: Message; readonly partial: boolean }

/**
 * Messages are `action` events named `chat.message`, pieces of one that is being written `chat.partial`. What a step has said is taken back when the step is tried again and says something; a message takes the place of
 * the pieces before it.
 */
export function turnSoFar(fid: string, events: readonly TimelineEvent[]): TurnSoFar {
  let pieces: readonly Piece[] = []
  let error: string | null = null
  let calling: string | null = null
  for (const { kind, step, data } of events) {
    if (!isJsonObject(data)) continue
    if (kind === 'step' && data['phase'] === 'started') {
      pieces = pieces.map((piece) => (piece.step === data['id'] ? { ...piece, stale: true } : piece))
      calling = typeof data['name'] === 'string' && data['name'].startsWith('tool ') ? data['name'].slice(5) : null
    } else if (kind === 'step') calling = null
    else if (kind === 'error') error = typeof data['message'] === 'string' ? data['message'] : 'The turn failed.'
    else if (kind === 'action') pieces = withAction(fid, pieces, step, data)
  }
  return { messages: pieces.map(({ message }) => message), error, calling }
}

/** Puts live text, which is ahead of what is stored by half a second, into the message that is being written. Text that does not go on from what is stored (somebody who came in the middle) is left out, and so is text that a whole message holds already: it is let go of by the end of its step, a moment later. */
export function withLiveText(fid: string, messages: readonly Message[], texts: ReadonlyMap<string, string>): readonly Message[] {
  const text = [...texts.values()].at(-1)
  if (text === undefined) return messages
  const last = messages.at(-1)
  const isOpen = last !== undefined && last['partial'] === true
  if (!isOpen) {
    const isSaid = last?.role === 'assistant' && textOf(last.content).startsWith(text)
    return isSaid ? messages : [...messages, { id: `${fid}.live`, role: 'assistant', content: text }]
  }
  return text.startsWith(textOf(last.content)) ? [...messages.slice(0, -1), { ...last, content: text }] : messages
}

function withAction(fid: string, pieces: readonly Piece[], step: string | null, { name, value }: { readonly [field: string]: Json }): readonly Piece[] {
  if (!isJsonObject(value ?? null)) return pieces
  const given = value as { readonly [field: string]: Json }
  const kept = pieces.filter((piece) => !(piece.stale && piece.step === step))
  if (name === 'chat.message') {
    const rest = kept.filter((piece) => !(piece.partial && piece.step === step))
    const message = { content: '', role: 'assistant', ...given, id: typeof given['id'] === 'string' ? given['id'] : `${fid}.${rest.length}` } as Message
    return [...rest, { step, stale: false, partial: false, message }]
  }
  if (name !== 'chat.partial') return pieces
  const last = kept.at(-1)
  const before = last?.partial && last.step === step ? last.message : undefined
  const grown = (field: 'content' | 'reasoning', part: Json | undefined) => `${textOf(before?.[field] ?? '')}${textOf(part ?? '')}`
  const message: Message = {
    id: before?.id ?? `${fid}.${kept.length}`,
    role: 'assistant',
    content: grown('content', given['text']),
    reasoning: grown('reasoning', given['reasoning']),
    partial: true,
  }
  return [...(before ? kept.slice(0, -1) : kept), { step, stale: false, partial: true, message }]
}
