import type { ControlOutcome } from '@koco/flow'
import { z } from 'zod'
import type { Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { caller, fidParam, visibleRun } from './visible-run.ts'

const tags = ['runs']
const params = z.object({ fid: fidParam })
const Reason = z.object({ reason: z.string().max(500).optional() }).nullish()
const Accepted = z.object({ fid: z.string(), outcome: z.literal('accepted') }).describe('Kept: it will be done, whatever dies in between.')

/** Pause, resume, cancel, retry: durable requests that may be repeated. */
export const runControlRoutes: Routes = (app, context) => {
  const { launcher } = context
  const route = (name: string, summary: string) => ({
    url: `/api/runs/:fid/${name}`,
    options: {
      config: { access: 'runs.control' as const },
      schema: { tags, summary, params, body: Reason, ...answers({ 202: Accepted }, 401, 403, 404, 409, 413, 422) },
    },
  })

  const pause = route('pause', 'Pause at the next step border')
  app.post(pause.url, pause.options, async (request, reply) => {
    const { fid } = await visibleRun(context, request, request.params.fid, 'runs.control')
    return reply.code(202).send(accepted(fid, await launcher.pause(fid, caller(request).user, request.body?.reason)))
  })

  const resume = route('resume', 'Go on after a pause')
  app.post(resume.url, resume.options, async (request, reply) => {
    const { fid } = await visibleRun(context, request, request.params.fid, 'runs.control')
    return reply.code(202).send(accepted(fid, await launcher.resume(fid, caller(request).user)))
  })

  const cancel = route('cancel', 'Cancel: what is there stays')
  app.post(cancel.url, cancel.options, async (request, reply) => {
    const { fid } = await visibleRun(context, request, request.params.fid, 'runs.control')
    const outcome = await launcher.cancel(fid, caller(request).user, request.body?.reason)
    // A repeated cancel of a run that is cancelled by now has what it wanted.
    const done = outcome.outcome === 'ended' && outcome.status === 'cancelled'
    return reply.code(202).send(accepted(fid, done ? { outcome: 'accepted' } : outcome))
  })

  const retry = route('retry', 'Start an ended run again; finished steps are kept')
  app.post(retry.url, retry.options, async (request, reply) => {
    const { fid } = await visibleRun(context, request, request.params.fid, 'runs.control')
    const { outcome } = await launcher.retry(fid, caller(request).user)
    if (outcome === 'live') throw new ProblemError(409, 'run_not_over', `Run ${fid} is not over; only an ended run can be retried.`)
    return reply.code(202).send(accepted(fid, { outcome }))
  })
}

function accepted(fid: string, outcome: ControlOutcome): z.infer<typeof Accepted> {
  if (outcome.outcome === 'ended') throw new ProblemError(409, 'run_over', `Run ${fid} is over: ${outcome.status}. Retry it, or start a new one.`)
  if (outcome.outcome === 'unknown') throw new ProblemError(404, 'unknown_run', `There is no run ${fid}.`)
  return { fid, outcome: 'accepted' }
}
