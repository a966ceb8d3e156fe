import type * as api from '@koco/core/api'
import { RUN_STATUSES, type RunStatus } from '@koco/core'
import type { FlowWorker } from '@koco/storage'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { worker, workerJson } from '../shapes/flow.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const DEAD_COUNTED = 200

const Operations = shapeOf<api.Operations>()(
  z
    .object({
      version: z.string(),
      checks: z.record(z.string(), z.string()).describe('stores and transport: `ok`, or a stable code that says what is wrong'),
      consumers: z
        .array(
          z.object({
            name: z.string().describe('empty for streams that wait and that nobody holds'),
            streams: z.number().int(),
            lag: z.number().int().describe('events not yet stored'),
            oldest_pending_s: z.number().nullable(),
          }),
        )
        .nullable()
        .describe('who carries events into the store, and how far behind; null while the transport does not answer'),
      workers: z.array(worker.extend({ flows: z.number().int() })),
      runs: z.partialRecord(z.enum(RUN_STATUSES), z.number().int()).describe('how many runs there are of each status'),
      dead_events: z.number().int().describe(`entries that were set aside; ${DEAD_COUNTED} stands for as many or more`),
    })
    .meta({ id: 'Operations', description: 'How the installation stands.' }),
)

const Delayed = shapeOf<api.Delay>()(
  z
    .object({
      delayed_since: z.number().nullable().describe('unix seconds since when events are not stored as they come; null when all is well'),
      because: z
        .string()
        .nullable()
        .describe(
          'a stable code: of the store or the transport, `no_spooler` (nobody takes the events), `spoolers_behind` (they come in faster than they are stored)',
        ),
    })
    .meta({ id: 'Delay', description: 'Whether what runs do is shown late.' }),
)

/** How the installation stands, for operators; and whether events come late, for everybody. */
export const operationsRoutes: Routes = (app, context) => {
  app.get(
    '/api/delay',
    { config: { access: 'flows.read' }, schema: { tags: ['operations'], summary: 'Since when events come late, and why', ...answers({ 200: Delayed }, 401) } },
    async () => {
      const delay = await context.delay.look()
      return { delayed_since: delay?.since ?? null, because: delay?.because ?? null }
    },
  )

  app.get(
    '/api/operations',
    {
      config: { access: 'operations.read' },
      schema: {
        tags: ['operations'],
        summary: 'How the installation stands: spoolers and lag, workers, stores, entries set aside',
        ...answers({ 200: Operations }, 401, 403),
      },
    },
    async () => {
      const { store, version } = context
      const [{ checks }, consumers, flows, runs, dead] = await Promise.all([
        context.ready(),
        consumersOf(context),
        store.flows.list(),
        store.runs.counts(),
        store.dead.list({ limit: DEAD_COUNTED }),
      ])
      return {
        version,
        checks,
        consumers,
        workers: workersOf(flows, context.clock()),
        runs: runs satisfies Partial<Record<RunStatus, number>>,
        dead_events: dead.items.length,
      }
    },
  )
}

async function consumersOf({ consumers, log }: PanelContext): Promise<z.infer<typeof Operations>['consumers']> {
  try {
    const found = await consumers()
    return found.map(({ name, streams, lag, oldestPendingMs }) => ({
      name,
      streams,
      lag,
      oldest_pending_s: oldestPendingMs === null ? null : oldestPendingMs / 1000,
    }))
  } catch (error) {
    // The rest of the page tells what is wrong; it must not fail with the part that it reports on.
    log.warn({ err: error }, 'the consumers of the transport could not be asked')
    return null
  }
}

function workersOf(flows: readonly { readonly workers: readonly FlowWorker[] }[], nowMs: number): z.infer<typeof Operations>['workers'] {
  const byId = Map.groupBy(
    flows.flatMap((flow) => flow.workers),
    (one) => one.id,
  )
  return [...byId.values()].flatMap((same) => (same[0] ? [{ ...workerJson(same[0], nowMs), flows: same.length }] : []))
}
