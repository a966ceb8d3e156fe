import { RefusedError, type Json } from '@koco/core'
import { textOfContent, type ChatMessage, type ChatSession } from '@koco/storage'
import { z } from 'zod'
import type { FlowContext } from '../context.ts'

/** What the run of a turn takes: the session as it stood once the person had spoken. Ids travel, what was said stays in the session; `said` is its beginning, by which people tell turns apart. */
export const turnInputs = z.object({
  said: z.string().optional(),
  session_id: z.string().regex(/^[0-9a-f]{12}$/),
  revision: z.number().int().min(1),
  model: z.string().optional(),
})

/** A message without what the session adds to it. */
export type NewMessage = { readonly role: string; readonly content: Json; readonly [field: string]: Json | undefined }

/** One turn of a conversation, as a chat flow is given it. */
export type ChatTurn = {
  readonly session: ChatSession
  /** The whole talk, what the person said last at its end. */
  readonly messages: readonly ChatMessage[]
  /** What the person said. */
  readonly message: ChatMessage
  /** The text of what the person said; of an image alone: empty. */
  readonly text: string
  /** The model that the session wants, if any. */
  readonly model: string | undefined
  /** Adds a message to the talk. It becomes part of the transcript when the turn ends, however it ends. */
  say(message: NewMessage): void
  /** A piece of an answer that is still being made: shown live at once, stored every moment, kept marked as interrupted when no `say` follows. */
  piece(text: string, kind?: 'text' | 'reasoning'): void
  /** Stores the pieces that are not stored yet; to be called when a stream is over, also after a failure. */
  flush(): void
  /** What the person has said into the turn since the last call, as messages of the talk. Journaled: may be asked anywhere outside of steps. */
  heard(): Promise<readonly ChatMessage[]>
}

/** Text of pieces is stored when it has grown so long, or so much time has passed. */
const STORE_CHARS = 2_000
const STORE_MS = 500
/** One event holds no more; a message that would be longer is cut, and says so. */
const MESSAGE_CHARS_MAX = 200_000

/** Opens the turn of a run. RefusedError `unknown_session` when it is not the user's, or there is nothing to answer. */
export async function openTurn(ctx: FlowContext, inputs: z.infer<typeof turnInputs>): Promise<ChatTurn> {
  const found = await ctx.sessions.read(inputs.session_id, inputs.revision)
  const { session, messages } = found
  const message = messages.at(-1)
  if (!message) throw new RefusedError(`Session ${session.id} has no message to answer.`, { code: 'unknown_session' })
  const pieces = createPieces(ctx)
  const known = new Set<string>()
  return {
    session,
    messages,
    message,
    text: textOfContent(message.content),
    model: inputs.model ?? session.model ?? undefined,
    say: (said) => {
      pieces.forget()
      ctx.action('chat.message', bounded(said))
    },
    piece: pieces.add,
    flush: pieces.flush,
    async heard() {
      const steers = await ctx.step('listen', async () => (await ctx.sessions.read(session.id)).steers)
      const fresh = steers.filter(({ id }) => !known.has(id))
      return fresh.map(({ id, text }): ChatMessage => {
        known.add(id)
        const steer = { id, role: 'user', content: text, steer: true }
        ctx.action('chat.message', steer)
        return steer
      })
    },
  }
}

/** Gathers pieces, so that a token is not an event. */
function createPieces(ctx: FlowContext): { add(text: string, kind?: 'text' | 'reasoning'): void; flush(): void; forget(): void } {
  const waiting = { text: '', reasoning: '' }
  let timer: NodeJS.Timeout | undefined
  const forget = (): void => {
    clearTimeout(timer)
    timer = undefined
    waiting.text = ''
    waiting.reasoning = ''
  }
  const flush = (): void => {
    if (waiting.text === '' && waiting.reasoning === '') return
    ctx.action('chat.partial', { ...(waiting.text !== '' && { text: waiting.text }), ...(waiting.reasoning !== '' && { reasoning: waiting.reasoning }) })
    forget()
  }
  return {
    add(text, kind = 'text') {
      if (text === '') return
      if (kind === 'text') ctx.delta(text)
      waiting[kind] += text
      // By a timer: a stream that stalls leaves its last words stored too.
      if (waiting.text.length + waiting.reasoning.length >= STORE_CHARS) flush()
      else timer ??= setTimeout(flush, STORE_MS)
    },
    flush,
    forget,
  }
}

function bounded(message: NewMessage): NewMessage {
  const { content } = message
  if (typeof content !== 'string' || content.length <= MESSAGE_CHARS_MAX) return message
  return { ...message, content: content.slice(0, MESSAGE_CHARS_MAX).toWellFormed(), cut: true }
}
