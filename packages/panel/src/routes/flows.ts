import type { FlowEntry, ListedFlow } from '@koco/storage'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { RefusedError } from '@koco/core'
import { FlowDetail, FlowShape, flowJson } from '../shapes/flow.ts'
import { limit, pageByName, pageOf } from '../shapes/json.ts'

const tags = ['flows']
const FRESH_MS = 1_000

/** The catalogue: what any worker ever served, and what this process serves. */
export const flowRoutes: Routes = (app, context) => {
  const all = createFlowList(context)

  app.get(
    '/api/flows',
    {
      config: { access: 'flows.read' },
      schema: {
        tags,
        summary: 'The catalogue of flows, by name',
        querystring: z.object({
          q: z.string().max(200).optional().describe('words that all must be in name, summary, description, author or tags'),
          tag: z.string().max(100).optional(),
          after: z.string().max(500).optional(),
          limit: limit(500, 100),
        }),
        ...answers({ 200: pageOf(FlowShape) }, 401, 403),
      },
    },
    async (request) => {
      const { q, tag, after, limit: size } = request.query
      const words = (q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
      const found = (await all()).filter(({ flow }) => (tag === undefined || flow.tags.includes(tag)) && words.every((word) => searchText(flow).includes(word)))
      const page = pageByName(
        found.map(({ flow, local }) => ({ name: flow.name, flow, local })),
        after,
        size,
      )
      return { items: page.items.map(({ flow, local }) => withoutInputs(flowJson(flow, local, context.clock()))), next: page.next }
    },
  )

  app.get(
    '/api/flows/:name',
    {
      config: { access: 'flows.read' },
      schema: {
        tags,
        summary: 'A flow with the JSON Schema of its inputs',
        params: z.object({ name: z.string().max(100) }),
        ...answers({ 200: FlowDetail }, 401, 403, 404),
      },
    },
    async (request) => {
      const found = (await all()).find(({ flow }) => flow.name === request.params.name)
      if (!found) throw new RefusedError(`There is no flow "${request.params.name}".`, { code: 'unknown_flow' })
      return flowJson(found.flow, found.local, context.clock())
    },
  )
}

/** The flows in the order of their names; what the store says is kept for a second. What this process serves goes before the store's word. */
function createFlowList({ store, catalog, clock }: PanelContext): () => Promise<readonly { readonly flow: ListedFlow; readonly local: boolean }[]> {
  let stored: { readonly untilMs: number; readonly list: Promise<readonly ListedFlow[]> } | undefined
  return async () => {
    if (!stored || stored.untilMs <= clock()) {
      const list = store.flows.list()
      stored = { untilMs: clock() + FRESH_MS, list }
      // A failed answer is not kept; the caller below gets the error.
      list.catch(() => (stored = undefined))
    }
    const byName = new Map((await stored.list).map((flow) => [flow.name, { flow, local: false }]))
    for (const entry of catalog.list()) byName.set(entry.name, { flow: { ...entry, workers: byName.get(entry.name)?.flow.workers ?? [] }, local: true })
    return [...byName.values()].sort((a, b) => (a.flow.name < b.flow.name ? -1 : 1))
  }
}

function searchText(flow: FlowEntry): string {
  return [flow.name, flow.summary, flow.description, flow.author ?? '', ...flow.tags].join('\n').toLowerCase()
}

function withoutInputs(flow: z.infer<typeof FlowDetail>): z.infer<typeof FlowShape> {
  const { inputs: _inputs, ...rest } = flow
  return rest
}
