import {
  isJsonObject,
  parseJson,
  type ErrorValue,
  type EventData,
  type EventRecord,
  type Json,
  type RunStatus,
  type TokenCounts,
  type TypedValue,
} from '@koco/core'
import type { ChatMessage, ModelUse, SessionCommand, Steer, TurnEnd } from '@koco/storage'

/** `stale`: its step is being tried again. */
type Piece = { readonly step: string | null; readonly stale: boolean } & (
  | { readonly message: ChatMessage }
  | { readonly partial: { readonly text: string; readonly reasoning: string } }
)

/**
 * Folds the timeline of a turn's run into what it adds to its session. The timeline is the truth, so whoever folds it, and however often, comes to the same.
 *
 * A turn says messages by `action` events named `chat.message`, and what a model has said so far by `chat.partial`, piece by piece. What a step has said is taken back when the step is tried again and says something; a
 * message takes the place of the pieces before it. Pieces that no message followed are kept, marked as interrupted.
 */
export class TurnFold {
  readonly #fid: string
  #pieces: Piece[] = []
  readonly #uses: ModelUse[] = []
  #final: TypedValue | null = null
  #error: ErrorValue | null = null

  constructor(fid: string) {
    this.#fid = fid
  }

  /** Takes the next event, in the order of the timeline. */
  take({ kind, ts, step, data: text }: EventRecord): void {
    if (kind === 'step') {
      const data = parseJson(text) as EventData['step']
      if (data.phase === 'started') this.#pieces = this.#pieces.map((piece) => (piece.step === data.id ? { ...piece, stale: true } : piece))
    } else if (kind === 'action') this.#act(parseJson(text) as EventData['action'], step, ts)
    else if (kind === 'model') {
      const { provider, model, tokens, cost } = parseJson(text) as EventData['model']
      this.#uses.push({ provider, model, at: ts, tokens, cost })
    } else if (kind === 'final') this.#final = parseJson(text) as TypedValue
    else if (kind === 'error') this.#error = parseJson(text) as ErrorValue
  }

  /** What the turn has said so far, also while it runs. */
  get messages(): ChatMessage[] {
    return this.#pieces.map((piece, index): ChatMessage => {
      if ('message' in piece) return piece.message
      const { text, reasoning } = piece.partial
      return { id: `${this.#fid}.${index}`, role: 'assistant', content: text, ...(reasoning !== '' && { reasoning }), interrupted: true, turn: this.#fid }
    })
  }

  /** The message that is being written, as far as it is stored; null between messages. */
  get writing(): { readonly step: string | null; readonly text: string } | null {
    const last = this.#pieces.at(-1)
    return last && 'partial' in last && !last.stale ? { step: last.step, text: last.partial.text } : null
  }

  /**
   * What ends the turn in its session. `steers`: what was said into it. What it did not come to is said next; after a cancel, which is a person's wish for quiet, it only stays in the talk.
   */
  end(status: RunStatus | 'lost', steers: readonly Steer[]): Extract<SessionCommand, { do: 'end-turn' }> {
    const end = endOf(status)
    const heard = new Set(this.#pieces.flatMap((piece) => ('message' in piece ? [piece.message.id] : [])))
    const unheard = steers.filter(({ id }) => !heard.has(id))
    const all = steers.map(({ id }) => id)
    const base = { do: 'end-turn', fid: this.#fid, end, uses: this.#uses } as const
    if (end !== 'cancelled') return { ...base, messages: this.#closed(end), heard: all.filter((id) => heard.has(id)) }
    return {
      ...base,
      heard: all,
      messages: [...this.#closed(end), ...unheard.map(({ id, text }) => ({ id, role: 'user', content: text, steer: true, turn: this.#fid }))],
    }
  }

  /** What a compressing turn comes to: its summary, in the place of the messages that it was made of. */
  compressed(status: RunStatus | 'lost'): Extract<SessionCommand, { do: 'end-turn' }> {
    const end = endOf(status)
    const made = this.#final?.type === 'json' ? this.#final.value : null
    const summary = isJsonObject(made) && typeof made['summary'] === 'string' && typeof made['replaces'] === 'number' ? made : null
    const base = { do: 'end-turn', fid: this.#fid, end, uses: this.#uses } as const
    if (end !== 'finished' || !summary) return { ...base, messages: [] }
    return {
      ...base,
      messages: [{ id: `${this.#fid}.0`, role: 'assistant', content: summary['summary'] ?? '', summary: true, turn: this.#fid }],
      replace: Number(summary['replaces']),
    }
  }

  #act({ name, value }: EventData['action'], step: string | null, ts: number): void {
    if (!isJsonObject(value) || !name.startsWith('chat.')) return
    this.#pieces = this.#pieces.filter((piece) => !piece.stale || piece.step !== step)
    if (name === 'chat.partial') this.#partial(step, textIn(value['text']), textIn(value['reasoning']))
    if (name !== 'chat.message' || typeof value['role'] !== 'string') return
    this.#pieces = this.#pieces.filter((piece) => 'message' in piece || piece.step !== step)
    const { id, ...rest } = value
    const content = value['content'] ?? ''
    const named = typeof id === 'string' && id !== '' ? id : `${this.#fid}.${this.#pieces.length}`
    this.#pieces.push({ step, stale: false, message: { ...rest, id: named, role: value['role'], content, timestamp: ts, turn: this.#fid } })
  }

  #partial(step: string | null, text: string, reasoning: string): void {
    const last = this.#pieces.at(-1)
    if (last && 'partial' in last && last.step === step) {
      const { partial } = last
      this.#pieces[this.#pieces.length - 1] = { step, stale: false, partial: { text: partial.text + text, reasoning: partial.reasoning + reasoning } }
    } else this.#pieces.push({ step, stale: false, partial: { text, reasoning } })
  }

  /** The messages at the end: what was cut off says so, what a plain flow returned is said, an error that left nothing behind is told. */
  #closed(end: TurnEnd): ChatMessage[] {
    const messages = this.messages.map((message) => (message['interrupted'] === true ? { ...message, end } : message))
    if (end === 'finished') return messages.length === 0 && this.#final ? [this.#say(textOf(this.#final), {})] : messages
    const last = messages.at(-1)
    const open = last?.role === 'assistant' && last['interrupted'] !== true && Array.isArray(last['tool_calls'])
    const why = { interrupted: true, end, ...(this.#error && { error: this.#error.message }) }
    if (last && (open || last['interrupted'] === true)) return [...messages.slice(0, -1), { ...last, ...why }]
    return end === 'cancelled' ? messages : [...messages, this.#say('', why, messages.length)]
  }

  #say(content: string, more: Readonly<Record<string, Json>>, index = 0): ChatMessage {
    return { id: `${this.#fid}.${index}`, role: 'assistant', content, turn: this.#fid, ...more }
  }
}

function endOf(status: RunStatus | 'lost'): TurnEnd {
  return status === 'finished' || status === 'cancelled' || status === 'timed_out' || status === 'lost' ? status : 'error'
}

function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

function textOf({ value }: TypedValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Counts of tokens, summed up. */
export function sumTokens(uses: readonly ModelUse[]): TokenCounts {
  const sum = { input_uncached: 0, cache_read: 0, cache_write: 0, output: 0, reasoning: 0 }
  for (const { tokens } of uses) for (const kind of Object.keys(sum) as (keyof TokenCounts)[]) sum[kind] += tokens[kind] ?? 0
  return sum
}
