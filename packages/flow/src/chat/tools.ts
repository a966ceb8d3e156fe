import { RefusedError } from '@koco/core'
import { z } from 'zod'
import type { FlowContext } from '../context.ts'
import type { Duration } from '../duration.ts'
import type { ChatTurn } from './turn.ts'

/** What a tool's function is told. */
export type ToolInfo = {
  readonly ctx: FlowContext
  readonly turn: ChatTurn
  /** Aborts at a cancel and at the tool's timeout. */
  readonly signal: AbortSignal
  /** The same over all tries of this call. */
  readonly idempotencyKey: string
}

/** A tool that a model may call. Make it by `chatTool`, which ties the types together. */
export type ChatTool = {
  readonly description: string
  readonly input: z.ZodType
  /** Asks a person before the call: always, or when the function says so. */
  readonly approve?: boolean | ((input: never) => boolean)
  /** Of one call; default one minute. */
  readonly timeout?: Duration
  run(input: never, info: ToolInfo): unknown
}

/** A call that the model wants. */
export type WantedTool = { readonly id: string; readonly name: string; readonly input: unknown }

/** A tool with an input of this shape: what the model gives is checked against it before `run` sees it. */
export function chatTool<S extends z.ZodType>(tool: {
  readonly description: string
  readonly input: S
  readonly approve?: boolean | ((input: z.output<S>) => boolean)
  readonly timeout?: Duration
  run(input: z.output<S>, info: ToolInfo): unknown
}): ChatTool {
  return tool
}

const OUTPUT_CHARS_MAX = 60_000
const approval = z.object({ approve: z.boolean(), note: z.string().max(2_000).optional() })

/** Does the calls of one answer side by side, each a step of its own, and says what came of them. What goes wrong is told to the model, which may try something else. */
export async function useTools(
  tools: Readonly<Record<string, ChatTool>>,
  calls: readonly WantedTool[],
  round: number,
  { turn, ctx }: Pick<ToolInfo, 'turn' | 'ctx'>,
): Promise<readonly string[]> {
  return await Promise.all(
    calls.map(async (call, index) => {
      const key = `${round}.${index}`
      const refusal = await refusalOf(tools, call, key, ctx)
      return await ctx.step(`tool ${call.name}`, { key, timeout: tools[call.name]?.timeout ?? '1m' }, async ({ signal, idempotencyKey }) => {
        const began = performance.now()
        const done = refusal ?? (await callTool(tools, call, { ctx, turn, signal, idempotencyKey }))
        const text = cut('error' in done ? `Error: ${done.error}` : textOf(done.output))
        ctx.tool({
          name: call.name,
          input: call.input,
          ...('error' in done ? { error: new Error(done.error) } : { output: text }),
          duration: performance.now() - began,
        })
        turn.say({ role: 'tool', tool_call_id: call.id, name: call.name, content: text })
        return text
      })
    }),
  )
}

type Outcome = { readonly output: unknown } | { readonly error: string }

/** A person's no; nothing when nobody need be asked or they said yes. */
async function refusalOf(tools: Readonly<Record<string, ChatTool>>, { name, input }: WantedTool, key: string, ctx: FlowContext): Promise<Outcome | undefined> {
  const tool = tools[name]
  const checked = tool?.input.safeParse(input)
  if (!tool?.approve || !checked?.success) return undefined
  if (typeof tool.approve === 'function' && !tool.approve(checked.data as never)) return undefined
  const answer = await ctx.lock(`approve ${name}`, { key, form: approval, data: { tool: name, input }, onExpire: 'continue' })
  if (answer?.approve === true) return undefined
  return { error: answer ? `A person refused this call${answer.note ? `: ${answer.note}` : '.'}` : 'Nobody approved this call in time.' }
}

async function callTool(tools: Readonly<Record<string, ChatTool>>, { name, input }: WantedTool, info: ToolInfo): Promise<Outcome> {
  const tool = tools[name]
  if (!tool) return { error: `There is no tool "${name}"; there are: ${Object.keys(tools).join(', ') || 'none'}.` }
  const checked = tool.input.safeParse(input)
  if (!checked.success) return { error: `The input does not fit: ${z.prettifyError(checked.error)}` }
  try {
    return { output: await tool.run(checked.data as never, info) }
  } catch (error) {
    info.signal.throwIfAborted()
    if (error instanceof RefusedError) return { error: error.message }
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

function textOf(output: unknown): string {
  return typeof output === 'string' ? output : (JSON.stringify(output) ?? '')
}

function cut(text: string): string {
  return text.length <= OUTPUT_CHARS_MAX ? text : `${text.slice(0, OUTPUT_CHARS_MAX).toWellFormed()}\n[cut: ${text.length} characters]`
}
