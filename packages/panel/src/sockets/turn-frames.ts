import { isEnded, isJsonObject, parseJson, type EventData, type EventRecord, type Json, type RunStatus } from '@koco/core'
import { textOfContent, type ChatMessage } from '@koco/storage'
import { TurnFold } from '../chat/settle.ts'
import type { Frame, FrameData } from './frames.ts'
import type { LivePiece } from './live-preview.ts'
import { formatSessionPosition } from './session-position.ts'

/**
 * Makes the frames of a turn from its run's events. Which frames, and their `chunk_index`, follow from the events alone: whoever reads them again, in another process or after a reconnect, comes to the same.
 * `kind` of an `agent_response`: `chunk` (the next piece of text), `message` (a whole message, in the place of the pieces before it), `restart` (what a step has said is taken back; content is what stays), `end`.
 */
export class TurnFrames {
  readonly #session: string
  readonly #turn: string
  readonly #fold: TurnFold
  #chunk = 0
  #over = false

  constructor(session: string, turn: string) {
    this.#session = session
    this.#turn = turn
    this.#fold = new TurnFold(turn)
  }

  /** True after the event that ends the turn. */
  get isOver(): boolean {
    return this.#over
  }

  /** The message that is being written, as far as the events that were taken tell. */
  get writing(): TurnFold['writing'] {
    return this.#fold.writing
  }

  /** A piece of text that no event holds yet. It has no number: the chunk that will hold it has. */
  delta({ offset, text }: LivePiece): Frame {
    const data = { session_id: this.#session, turn_id: this.#turn, kind: 'delta', is_complete: false, chunk_index: null, offset }
    return { type: 'agent_response', content: text, data }
  }

  /** The frames of the next event; most have none. */
  take(record: EventRecord): readonly Frame[] {
    const before = record.kind === 'action' ? this.#said() : ''
    this.#fold.take(record)
    const frame = this.#frameOf(record, before)
    return frame ? [{ ...frame, data: { ...frame.data, position: formatSessionPosition({ turn: this.#turn, at: record }) } }] : []
  }

  /** The last frame of a turn whose run is gone. */
  lost(): Frame {
    return this.#end('lost')
  }

  #frameOf({ kind, data: text }: EventRecord, before: string): Frame | undefined {
    if (kind === 'action') return this.#action(parseJson(text) as EventData['action'], before)
    if (kind === 'lock') {
      const { lid, name, form, data } = parseJson(text) as EventData['lock']
      return this.#status('awaiting', { stream_id: this.#turn, lock: { lid, name, form, data } })
    }
    if (kind === 'lease') return this.#status('running', { answered: (parseJson(text) as EventData['lease']).lid })
    if (kind !== 'status') return undefined
    const { status } = parseJson(text) as EventData['status']
    if (isEnded(status)) return this.#end(status)
    return status === 'paused' || status === 'running' ? this.#status(status, {}) : undefined
  }

  #action({ name, value }: EventData['action'], before: string): Frame | undefined {
    if (!isJsonObject(value)) return undefined
    if (name === 'chat.partial') {
      const piece = textIn(value['text'])
      const now = this.#said()
      const written = this.#fold.writing?.text.length ?? 0
      if (now.length < before.length + piece.length) return this.#response('restart', now, { offset: now.length - written })
      return this.#response('chunk', piece, { reasoning: textIn(value['reasoning']), offset: written - piece.length })
    }
    if (name !== 'chat.message' || typeof value['role'] !== 'string') return undefined
    const message = this.#fold.messages.at(-1)
    return message && this.#response('message', textOfContent(message.content), { message })
  }

  #end(status: RunStatus | 'lost'): Frame {
    this.#over = true
    const { messages } = this.#fold.end(status, [])
    const last = messages.findLast(({ role }) => role === 'assistant')
    const error = last?.['error']
    const more = { status, is_complete: true, message_ids: messages.map(({ id }) => id), ...(typeof error === 'string' && { error }) }
    return this.#response('end', last ? textOfContent(last.content) : '', more)
  }

  #response(kind: 'chunk' | 'message' | 'restart' | 'end', content: string, more: FrameData): Frame {
    const data = { session_id: this.#session, turn_id: this.#turn, kind, is_complete: false, chunk_index: this.#chunk++, ...more }
    return { type: 'agent_response', content, data }
  }

  #status(status: string, more: FrameData): Frame {
    return { type: 'session_status', content: status, data: { session_id: this.#session, turn_id: this.#turn, status, ...more } }
  }

  #said(): string {
    return this.#fold.messages.map(({ content }: ChatMessage) => textOfContent(content)).join('\n')
  }
}

function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
