import { isJsonObject, RefusedError, type Json, type TypedValue } from '@koco/core'
import type { FlowContext } from '../context.ts'
import type { ProcessOptions } from '../process/port.ts'
import type { ChatTurn } from './turn.ts'

/** How a command-line agent answers: a program that reads what it is told and writes stream-JSON, in the workspace of the session. */
export type CommandOptions = {
  /** The program for a turn; `stdin` is what the person said unless it is given. */
  command(turn: ChatTurn): Omit<ProcessOptions, 'key' | 'session' | 'onLine'>
}

type Line = { readonly [field: string]: Json }

/** Answers a turn by a command-line agent. What it says becomes messages of the talk while it works; a program that ends badly ends the turn with what it last said on stderr. */
export async function answerWithCommand({ command }: CommandOptions, turn: ChatTurn, ctx: FlowContext): Promise<TypedValue> {
  const options = command(turn)
  const speaker = createSpeaker(turn, ctx)
  const { code, signal, stderr } = await ctx.process('agent', { stdin: turn.text, ...options, session: turn.session.id, onLine: speaker.hear })
  if (code !== 0) {
    const last = stderr.trim().split('\n').at(-1) ?? ''
    throw new RefusedError(`The agent's program ended with ${code === null ? String(signal) : `code ${code}`}${last === '' ? '.' : `: ${last}`}`, {
      code: 'agent_failed',
    })
  }
  return ctx.markdown(speaker.last())
}

/** Turns lines of stream-JSON, as command-line agents write them, into messages, pieces and model calls. Lines of other kinds become events as they are. */
function createSpeaker(turn: ChatTurn, ctx: FlowContext): { hear(line: Line): void; last(): string } {
  let model = 'unknown'
  let last = ''
  return {
    hear(line) {
      const { type, message } = line
      if (type === 'stream_event') return turn.piece(deltaOf(line['event']))
      if (type === 'assistant' && isJsonObject(message)) {
        const { text, calls } = partsOf(message['content'])
        if (text !== '') last = text
        turn.say({ role: 'assistant', content: text, model, ...(calls.length > 0 && { tool_calls: calls }) })
      } else if (type === 'user' && isJsonObject(message)) {
        for (const result of resultsOf(message['content'])) turn.say(result)
      } else if (type === 'result') {
        if (typeof line['result'] === 'string') last = line['result']
        ctx.model(callOf(line, model))
      } else {
        if (typeof line['model'] === 'string') model = line['model']
        ctx.action('process', line)
      }
    },
    last: () => last,
  }
}

function deltaOf(event: Json | undefined): string {
  const delta = isJsonObject(event) ? event['delta'] : undefined
  return isJsonObject(delta) && typeof delta['text'] === 'string' ? delta['text'] : ''
}

function partsOf(content: Json | undefined): { readonly text: string; readonly calls: Json[] } {
  if (typeof content === 'string') return { text: content, calls: [] }
  const parts = Array.isArray(content) ? (content as readonly Json[]).filter(isJsonObject) : []
  const text = parts.flatMap((part) => (part['type'] === 'text' && typeof part['text'] === 'string' ? [part['text']] : [])).join('\n\n')
  const calls = parts.flatMap((part): Json[] =>
    part['type'] === 'tool_use'
      ? [{ id: part['id'] ?? '', type: 'function', function: { name: part['name'] ?? '', arguments: JSON.stringify(part['input'] ?? {}) } }]
      : [],
  )
  return { text, calls }
}

function resultsOf(content: Json | undefined) {
  const parts = Array.isArray(content) ? (content as readonly Json[]).filter(isJsonObject) : []
  return parts.flatMap((part) => {
    if (part['type'] !== 'tool_result') return []
    const { tool_use_id: id, content: result } = part
    return [{ role: 'tool', tool_call_id: id ?? '', content: typeof result === 'string' ? result : JSON.stringify(result ?? null) }]
  })
}

function callOf(line: Line, model: string): Parameters<FlowContext['model']>[0] {
  const usage = isJsonObject(line['usage']) ? line['usage'] : {}
  const count = (name: string): number => (typeof usage[name] === 'number' ? usage[name] : 0)
  const { total_cost_usd: cost, duration_ms: duration } = line
  return {
    provider: 'command',
    model,
    duration: typeof duration === 'number' ? duration : 0,
    cost: typeof cost === 'number' ? cost : null,
    tokens: {
      input_uncached: count('input_tokens'),
      cache_read: count('cache_read_input_tokens'),
      cache_write: count('cache_creation_input_tokens'),
      output: count('output_tokens'),
    },
  }
}
