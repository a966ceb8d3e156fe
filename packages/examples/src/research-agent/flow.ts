import type { ModelMessage, ToolModelMessage } from 'ai'
import { defineFlow, type FlowContext } from 'koco'
import { z } from 'zod'
import { askModel, type WantedTool } from './ask-model.ts'
import { modelOf } from './settings.ts'
import { readPage, toolInputs } from './tools.ts'

type Agent = { readonly ctx: FlowContext; readonly hosts: readonly string[] }

/** A tool-calling loop: each call of the model and of a tool is a step, so a killed run asks and pays for nothing twice. */
export const researchAgent = defineFlow({
  name: 'research-agent',
  summary: 'Answers a question by reading web pages with a language model.',
  description: 'Needs an OpenAI-compatible endpoint: `KODO_LLM_URL`, `KODO_LLM_MODEL` and, if the server wants one, `KODO_LLM_KEY`.',
  tags: ['example', 'agent'],
  timeout: '30m',
  inputs: z.object({
    question: z.string().min(3).max(4000).describe('What to find out'),
    hosts: z.array(z.string().min(1)).max(50).default(['en.wikipedia.org']).describe('Hosts that the agent may read from'),
    turns_max: z.number().int().min(1).max(50).default(10).describe('Calls of the model at most'),
  }),
  async run({ question, hosts, turns_max: turnsMax }, ctx) {
    const model = modelOf(process.env)
    const messages: ModelMessage[] = [{ role: 'user', content: `${question}\n\nAllowed hosts: ${hosts.join(', ')}` }]
    for (let turn = 1; turn <= turnsMax; turn += 1) {
      const mayUseTools = turn < turnsMax
      const answer = await ctx.step('ask the model', { retries: { max: 3, delay: '2s' }, timeout: '5m' }, ({ signal }) =>
        askModel(ctx, model, messages, mayUseTools, signal),
      )
      if (answer.wanted.length === 0 || !mayUseTools) return ctx.markdown(answer.text)
      ctx.progress(turn, turnsMax, answer.wanted.map(({ name }) => name).join(', '))
      messages.push(...answer.messages, await useTools({ ctx, hosts }, answer.wanted, turn))
    }
    return ctx.text('The agent had no turn.')
  },
})

async function useTools(agent: Agent, wanted: readonly WantedTool[], turn: number): Promise<ToolModelMessage> {
  const outputs = await Promise.all(
    wanted.map((call, index) => agent.ctx.step(`tool ${call.name}`, { key: `${turn}.${index}`, timeout: '1m' }, ({ signal }) => useTool(agent, call, signal))),
  )
  return {
    role: 'tool',
    content: wanted.map(({ id, name }, index) => ({
      type: 'tool-result',
      toolCallId: id,
      toolName: name,
      output: { type: 'text', value: outputs[index] ?? '' },
    })),
  }
}

// What goes wrong in a tool is told to the model, which may try something else; only a cancel or a timeout ends the step.
async function useTool({ ctx, hosts }: Agent, { name, input }: WantedTool, signal: AbortSignal): Promise<string> {
  const began = performance.now()
  try {
    const output = await callTool(ctx, name, input, hosts, signal)
    ctx.tool({ name, input, output, duration: performance.now() - began })
    return output
  } catch (error) {
    signal.throwIfAborted()
    ctx.tool({ name, input, error, duration: performance.now() - began })
    return `Error: ${error instanceof Error ? error.message : String(error)}`
  }
}

async function callTool(ctx: FlowContext, name: string, input: unknown, hosts: readonly string[], signal: AbortSignal): Promise<string> {
  if (name === 'read_page') return readPage(toolInputs.read_page.parse(input).url, hosts, signal)
  if (name !== 'take_note') throw new Error(`There is no tool "${name}".`)
  const { note, source } = toolInputs.take_note.parse(input)
  ctx.result(ctx.markdown(`${note}\n\n*${source}*`))
  return 'kept'
}
