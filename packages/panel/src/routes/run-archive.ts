import { z } from 'zod'
import type { Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { fidParam, visibleRun } from './visible-run.ts'

const tags = ['runs']

/** Hide a run from lists, show it again. */
export const runArchiveRoutes: Routes = (app, context) => {
  const { store } = context

  app.delete(
    '/api/runs/:fid',
    {
      config: { access: 'runs.archive' },
      schema: { tags, summary: 'Archive a run: hide it from lists', params: z.object({ fid: fidParam }), ...answers({ 204: empty }, 401, 403, 404, 409) },
    },
    async (request, reply) => {
      const run = await visibleRun(context, request, request.params.fid, 'runs.archive')
      if (run.finishedAt === null) throw new ProblemError(409, 'run_not_over', `Run ${run.fid} is ${run.status}; cancel it before you archive it.`)
      await store.runs.archive(run.fid, true)
      return reply.code(204).send()
    },
  )

  app.post(
    '/api/runs/:fid/restore',
    {
      config: { access: 'runs.archive' },
      schema: { tags, summary: 'Show an archived run again', params: z.object({ fid: fidParam }), ...answers({ 204: empty }, 401, 403, 404) },
    },
    async (request, reply) => {
      const run = await visibleRun(context, request, request.params.fid, 'runs.archive')
      await store.runs.archive(run.fid, false)
      return reply.code(204).send()
    },
  )
}
