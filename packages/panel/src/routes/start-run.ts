import { RefusedError, type Json } from '@koco/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { startRun } from '../files/start-run.ts'
import { answers } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { json } from '../shapes/json.ts'
import { Run, runJson } from '../shapes/run.ts'
import { preferredWaitS } from './prefer.ts'
import { caller, fidParam } from './visible-run.ts'

const StartBody = z.object({
  flow: z.string().min(1).max(63),
  inputs: json.optional(),
  parent: fidParam.optional().describe('the run that asks for this one'),
})

/** Start a run, and wait for its end when asked to. */
export const startRunRoutes: Routes = (app, context) => {
  app.post(
    '/api/runs',
    {
      config: { access: 'runs.start' },
      schema: {
        tags: ['runs'],
        summary: 'Start a run',
        description:
          'Answers as soon as the run cannot be lost. With `Idempotency-Key` a repeated call gives the first run (200). With `Prefer: wait=<seconds>` the answer waits for the end of the run, at most so long, and is the run as it then is; also for files that are still being uploaded (else 409 `files_incomplete`). A file in the inputs is the id of an upload of yours, or `<fid>/out/<path>`; the run has it under `in/`.',
        headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional(), prefer: z.string().optional() }),
        body: StartBody,
        ...answers({ 201: z.object({ fid: z.string() }).or(Run), 200: z.object({ fid: z.string() }).or(Run) }, 401, 403, 404, 409, 413, 422, 429),
      },
    },
    async (request, reply) => start(context, request, reply, request.body),
  )
}

async function start(context: PanelContext, request: FastifyRequest, reply: FastifyReply, body: z.infer<typeof StartBody>): Promise<object | string> {
  const { endings, settings, store, clock } = context
  const key = request.headers['idempotency-key']
  const waitS = preferredWaitS(request.headers['prefer'], settings.waitSMax)
  const untilMs = performance.now() + (waitS ?? 0) * 1000
  const gone = new AbortController()
  // A client that has gone waits for nothing. An abort makes an error, so after an answer there is none.
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort()
  })
  const wish = {
    flow: body.flow,
    inputs: (body.inputs ?? {}) as Json,
    user: caller(request).user,
    idempotencyKey: typeof key === 'string' ? key : null,
    ...(body.parent !== undefined && { parent: body.parent }),
  }
  const { fid, created } = await startRun(context, caller(request), wish, { untilMs, signal: gone.signal })
  void reply.code(created ? 201 : 200).header('location', `/api/runs/${fid}`)
  if (waitS === undefined && created) return { fid }
  if (waitS !== undefined) {
    if (created) reply.noteDeed()
    void reply.header('preference-applied', `wait=${waitS}`)
    const ending = endings.wait(fid, Math.max(0, untilMs - performance.now()))
    gone.signal.addEventListener('abort', ending.cancel)
    if (gone.signal.aborted) ending.cancel()
    await ending.over
  }
  const run = await store.runs.get(fid)
  if (!run) throw new RefusedError(`Run ${fid} is no longer in the store.`, { code: 'unknown_run' })
  if (run.flow !== body.flow) {
    throw new ProblemError(422, 'idempotency_key_reused', `This Idempotency-Key started run ${fid} of flow "${run.flow}"; take a new key for another run.`)
  }
  return waitS === undefined ? { fid } : runJson(run, clock())
}
