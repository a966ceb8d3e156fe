import { z } from 'zod'
import type { Routes } from '../context.ts'
import { answers } from '../server/describe.ts'

const tags = ['operations']

/** Alive, ready, metrics. */
export const opsRoutes: Routes = (app, context) => {
  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'The process is alive', ...answers({ 200: z.object({ status: z.literal('ok'), version: z.string() }) }) },
    },
    async () => ({ status: 'ok' as const, version: context.version }),
  )

  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'It can really write: the stores took a write, the transport takes events',
        ...answers({ 200: z.object({ ready: z.boolean(), checks: z.record(z.string(), z.string()) }) }),
      },
    },
    async (_request, reply) => {
      const readiness = await context.ready()
      return reply.code(readiness.ready ? 200 : 503).send(readiness)
    },
  )

  app.get(
    '/metrics',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Figures for Prometheus', ...answers({ 200: { type: 'text/plain', description: 'The text format of Prometheus.' } }) },
    },
    async (_request, reply) => reply.type(context.registry.contentType).send(await context.registry.metrics()),
  )
}
