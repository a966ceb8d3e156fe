import { z } from 'zod'
import type { Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { controlRun } from './control-run.ts'
import { caller, fidParam, visibleRun } from './visible-run.ts'

const tags = ['runs']
const params = z.object({ fid: fidParam })
const Reason = z.object({ reason: z.string().max(500).optional() }).nullish()
const Accepted = z.object({ fid: z.string(), outcome: z.literal('accepted') }).describe('Kept: it will be done, whatever dies in between.')

const CONTROLS = {
  pause: 'Pause at the next step border',
  resume: 'Go on after a pause',
  cancel: 'Cancel: what is there stays',
  retry: 'Start an ended run again; finished steps are kept',
}

/** Pause, resume, cancel, retry: durable requests that may be repeated. */
export const runControlRoutes: Routes = (app, context) => {
  const route = (name: string, summary: string) => ({
    url: `/api/runs/:fid/${name}`,
    options: {
      config: { access: 'runs.control' as const },
      schema: { tags, summary, params, body: Reason, ...answers({ 202: Accepted }, 401, 403, 404, 409, 413, 422) },
    },
  })

  for (const [control, summary] of Object.entries(CONTROLS)) {
    const { url, options } = route(control, summary)
    app.post(url, options, async (request, reply) => {
      const run = await visibleRun(context, request, request.params.fid, 'runs.control')
      await controlRun(context, caller(request), run, control as keyof typeof CONTROLS, request.body?.reason)
      return reply.code(202).send({ fid: run.fid, outcome: 'accepted' })
    })
  }
}
