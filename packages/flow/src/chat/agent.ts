import type { ChatMessage } from '@koco/storage'
import type { ModelMessage } from 'ai'
import type { TypedValue } from '@koco/core'
import type { FlowContext } from '../context.ts'
import { ask, isPassing, type Answer } from './ask.ts'
import { modelMessages } from './model-messages.ts'
import { modelOf, openModel, type ChatModel, type OpenModel } from './model.ts'
import { useTools, type ChatTool } from './tools.ts'
import type { ChatTurn } from './turn.ts'

/** How a model answers. */
export type AgentOptions = {
  /** What it is told before the talk; default a plain assistant's instructions. */
  readonly instructions?: string | ((turn: ChatTurn) => string)
  readonly tools?: Readonly<Record<string, ChatTool>>
  /** The endpoint; default what `KODO_LLM_URL`, `KODO_LLM_MODEL` and `KODO_LLM_KEY` say where the flow runs. A session may want another model of it. */
  readonly model?: ChatModel
  /** Calls of the model in one turn at most; the last one may use no tools. Default 20. */
  readonly callsMax?: number
}

const INSTRUCTIONS = 'You are a helpful assistant. Answer in Markdown, briefly and truthfully; say so when you do not know.'
const CALLS_MAX = 20

/** Answers a turn with a model: each call of it and of a tool is a step, so a turn that is killed asks and pays for nothing twice. */
export async function answerWithModel(options: AgentOptions, turn: ChatTurn, ctx: FlowContext): Promise<TypedValue> {
  const { tools = {}, callsMax = CALLS_MAX } = options
  const model = await modelFor(options, turn)
  const instructions = textOfInstructions(options, turn)
  const messages: ModelMessage[] = modelMessages(turn.messages)
  for (let call = 1; ; call += 1) {
    messages.push(...modelMessages(await turn.heard()))
    const mayUseTools = call < callsMax
    const question = { model, instructions, messages, tools, mayUseTools }
    const answer = await ctx.step('answer', { retries: { max: 3, delay: '1s', when: isPassing }, timeout: '10m' }, ({ signal }) =>
      ask(question, turn, ctx, signal),
    )
    const wanted = mayUseTools ? answer.wanted : []
    const outputs = await useTools(tools, wanted, call, { ctx, turn })
    const said = modelMessages(saidIn({ ...answer, wanted }, outputs))
    if (wanted.length > 0) {
      messages.push(...said)
      continue
    }
    // Somebody may have spoken while the model did: then the turn goes on.
    const heard = mayUseTools ? await turn.heard() : []
    if (heard.length === 0) return ctx.markdown(answer.text)
    messages.push(...said, ...modelMessages(heard))
  }
}

async function modelFor({ model }: AgentOptions, turn: ChatTurn): Promise<OpenModel> {
  return await openModel(model ? { ...model, name: turn.model ?? model.name } : modelOf(process.env, turn.model))
}

function textOfInstructions({ instructions = INSTRUCTIONS }: AgentOptions, turn: ChatTurn): string {
  const text = typeof instructions === 'function' ? instructions(turn) : instructions
  return turn.session.personality === null ? text : `${text}\n\n${turn.session.personality}`
}

function saidIn({ text, wanted }: Answer, outputs: readonly string[]): ChatMessage[] {
  const calls = wanted.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(input) } }))
  const results = wanted.map(({ id, name }, index): ChatMessage => ({ id, role: 'tool', tool_call_id: id, name, content: outputs[index] ?? '' }))
  return [{ id: '', role: 'assistant', content: text, ...(calls.length > 0 && { tool_calls: calls }) }, ...results]
}
