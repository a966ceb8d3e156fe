import type { ModelMessage, ToolSet } from 'ai'
import type { FlowContext } from '../context.ts'
import { tokensOf, type OpenModel } from './model.ts'
import type { ChatTool, WantedTool } from './tools.ts'
import type { ChatTurn } from './turn.ts'

/** One answer of a model. */
export type Answer = { readonly text: string; readonly reasoning: string; readonly wanted: readonly WantedTool[] }

/** What a model is asked. */
export type Question = {
  readonly model: OpenModel
  readonly instructions: string
  readonly messages: readonly ModelMessage[]
  readonly tools: Readonly<Record<string, ChatTool>>
  readonly mayUseTools: boolean
}

/** One call of a model inside a step: its words shown and stored as they come, its usage emitted, its answer said. */
export async function ask(
  { model, instructions, messages, tools, mayUseTools }: Question,
  turn: ChatTurn,
  ctx: FlowContext,
  signal: AbortSignal,
): Promise<Answer> {
  const { streamText, tool } = await import('ai')
  const began = performance.now()
  const failures: unknown[] = []
  // Without `execute`: the calls are made by the flow, each in a step of its own.
  const described = Object.entries(tools).map(([name, { description, input }]) => [name, tool({ description, inputSchema: input })] as const)
  const stream = streamText({
    model: model.chat,
    ...(instructions !== '' && { instructions }),
    messages: [...messages],
    ...(described.length > 0 && { tools: Object.fromEntries(described) as ToolSet, toolChoice: mayUseTools ? 'auto' : 'none' }),
    abortSignal: signal,
    maxRetries: 0,
    onError: ({ error }) => void failures.push(error),
  })
  try {
    for await (const part of stream.stream) {
      if (part.type === 'text-delta') turn.piece(part.text)
      else if (part.type === 'reasoning-delta') turn.piece(part.text, 'reasoning')
    }
    signal.throwIfAborted()
    if (failures.length > 0) throw failures[0]
  } catch (error) {
    // What was said so far stays, whatever comes next.
    turn.flush()
    throw error
  }
  const { text, toolCalls, usage, reasoningText = '' } = await stream.finalStep
  ctx.model({ provider: model.provider, model: model.name, duration: performance.now() - began, tokens: tokensOf(usage), text })
  const wanted = toolCalls.map(({ toolCallId: id, toolName: name, input }): WantedTool => ({ id, name, input: input as unknown }))
  turn.say({
    role: 'assistant',
    content: text,
    model: model.name,
    ...(reasoningText !== '' && { reasoning: reasoningText }),
    ...(wanted.length > 0 && {
      tool_calls: wanted.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(input) } })),
    }),
  })
  return { text, reasoning: reasoningText, wanted }
}

/** True for what may be better in a moment: the server is busy or away. */
export function isPassing(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  if ('isRetryable' in error) return error.isRetryable === true
  return error instanceof TypeError
}
