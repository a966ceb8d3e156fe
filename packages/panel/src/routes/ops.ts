import { KocoError } from '@koco/core'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'

const tags = ['operations']
const FRESH_MS = 1_000

type Readiness = { readonly ready: boolean; readonly checks: Readonly<Record<string, string>> }

/** Alive, ready, metrics. */
export const opsRoutes: Routes = (app, context) => {
  const ready = createReadiness(context)

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
      const readiness = await ready()
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

/** Asks everything that a run needs; an answer serves for a second, so that nobody can wear the stores out by asking. */
export function createReadiness({
  store,
  admin,
  checkTransport,
  clock,
  closing,
}: Pick<PanelContext, 'store' | 'admin' | 'checkTransport' | 'clock' | 'closing'>): () => Promise<Readiness> {
  let last: { readonly untilMs: number; readonly answer: Promise<Readiness> } | undefined
  return () => {
    if (closing()) return Promise.resolve({ ready: false, checks: { panel: 'shutting down' } })
    if (!last || last.untilMs <= clock()) {
      const checks = { store: () => store.check(), admin: () => admin.check(), transport: checkTransport }
      last = { untilMs: clock() + FRESH_MS, answer: askAll(checks) }
    }
    return last.answer
  }
}

async function askAll(checks: Readonly<Record<string, () => Promise<void>>>): Promise<Readiness> {
  const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await verdict(check)] as const))
  return { ready: results.every(([, said]) => said === 'ok'), checks: Object.fromEntries(results) }
}

async function verdict(check: () => Promise<void>): Promise<string> {
  try {
    await check()
    return 'ok'
  } catch (error) {
    // Anybody may ask, so only the stable code is told; the message may name hosts and paths.
    return error instanceof KocoError ? error.code : 'failed'
  }
}
