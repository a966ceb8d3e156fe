import type * as api from '@koco/core/api'
import type { FlowWorker, ListedFlow } from '@koco/storage'
import { z } from 'zod'
import { json } from './json.ts'
import { shapeOf } from './shape-of.ts'

/** A process that serves flows. */
export const worker = shapeOf<api.FlowWorker>()(
  z.object({ id: z.string(), launcher: z.string(), host: z.string(), pid: z.number(), seen_at: z.number(), live: z.boolean() }),
)

const servingWorker = worker.extend({ version: z.string().nullable().describe('the version of the flow that it serves; runs that began on it go on there') })

/** A flow of the catalogue. */
export const FlowShape = shapeOf<api.Flow>()(
  z
    .object({
      name: z.string(),
      version: z.string().nullable().describe('the one that new runs begin on: of those that are served the one that came last'),
      summary: z.string(),
      description: z.string(),
      tags: z.array(z.string()),
      author: z.string().nullable(),
      live: z.boolean().describe('somebody serves it now; a cold flow is listed but waits for a worker'),
      workers: z.array(servingWorker),
    })
    .meta({ id: 'Flow' }),
)

/** A flow with the JSON Schema of its inputs. */
export const FlowDetail = shapeOf<api.FlowDetail>()(FlowShape.extend({ inputs: json.describe('JSON Schema') }).meta({ id: 'FlowDetail' }))

/** A worker that was heard of within so many seconds serves its flows. */
export const LIVE_S = 45

/** The JSON of a flow with its inputs. `local`: this process serves it. */
export function flowJson(flow: ListedFlow, local: boolean, nowMs: number): z.infer<typeof FlowDetail> {
  const workers = flow.workers.map((one) => ({ ...workerJson(one, nowMs), version: one.version }))
  return {
    name: flow.name,
    version: flow.version,
    summary: flow.summary,
    description: flow.description,
    tags: [...flow.tags],
    author: flow.author,
    live: local || workers.some((one) => one.live),
    workers,
    inputs: flow.inputs,
  }
}

/** The JSON of a worker. */
export function workerJson({ id, launcher, host, pid, seenAt }: FlowWorker, nowMs: number): z.infer<typeof worker> {
  return { id, launcher, host, pid, seen_at: seenAt, live: seenAt >= nowMs / 1000 - LIVE_S }
}
