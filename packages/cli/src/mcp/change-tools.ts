import { isJsonObject, toJson, type Json } from '@koco/core'
import type { FlowDetail } from '@koco/core/api'
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { KocoClient } from '../client/koco-client.ts'
import { fidInput } from './read-tools.ts'
import { attempted } from './results.ts'

type Schema = Exclude<Parameters<typeof fromJsonSchema>[0], boolean>
type Start = { readonly flow: string; readonly inputs?: Json; readonly key?: string }

/** The tools that start, answer and stop. `flows`: whose inputs `start_run` describes. */
export function addChangeTools(server: McpServer, koco: KocoClient, flows: readonly FlowDetail[]): void {
  server.registerTool(
    'start_run',
    {
      description: `Starts a run of a flow and gives its id; it goes on by itself, look at it with get_run.${flows.length === 0 ? '' : ` Flows: ${flows.map(({ name, summary }) => `${name} (${summary})`).join('; ')}`}`,
      inputSchema: fromJsonSchema<Start>(startSchema(flows)),
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
    },
    ({ flow, inputs = {}, key }) => attempted(() => koco.start(flow, inputs, key === undefined ? {} : { key })),
  )

  server.registerTool(
    'answer_question',
    {
      description: 'Answers a question of a run, for good. The answer has to fit the form that list_questions shows.',
      inputSchema: z.object({ fid: fidInput, lid: z.string(), answer: z.unknown(), reason: z.string().optional().describe('stays in the timeline') }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
    },
    ({ fid, lid, answer, reason }) =>
      attempted(async () => {
        await koco.answer(fid, lid, toJson(answer), reason)
        return { answered: lid }
      }),
  )

  server.registerTool(
    'cancel_run',
    {
      description: 'Cancels a run; what it has done so far stays.',
      inputSchema: z.object({ fid: fidInput, reason: z.string().optional() }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
    },
    ({ fid, reason }) =>
      attempted(async () => {
        await koco.cancel(fid, reason)
        return { cancelling: fid }
      }),
  )
}

/** What starts a run: for each flow the schema that its author gave it. One with references of its own cannot stand within another; the panel checks it all the same. */
function startSchema(flows: readonly FlowDetail[]): Schema {
  const own = flows.filter(({ inputs }) => isJsonObject(inputs) && !JSON.stringify(inputs).includes('"$ref"'))
  return {
    type: 'object',
    properties: {
      flow: { type: 'string', description: 'the name of a flow' },
      inputs: { type: 'object', description: "as the flow's own schema says; get_flow shows it" },
      key: { type: 'string', description: 'starts one run, however often it is called with this key' },
    },
    required: ['flow'],
    additionalProperties: false,
    allOf: own.map(({ name, inputs }) => ({
      if: { properties: { flow: { const: name } }, required: ['flow'] },
      // oxlint-disable-next-line unicorn/no-thenable -- the word of JSON Schema
      then: { properties: { inputs: withoutDialect(inputs) } },
    })),
  }
}

/** A schema within another one must not name its dialect again. */
function withoutDialect(schema: Json): Schema {
  if (!isJsonObject(schema)) return {}
  const { $schema: _dialect, $id: _id, ...rest } = schema
  return rest
}
