import { z } from 'zod'
import type { Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { controlRun } from './control-run.ts'
import { caller, fidParam, visibleRun } from './visible-run.ts'

const tags = ['runs']

/** Hide a run from lists, show it again. */
export const runArchiveRoutes: Routes = (app, context) => {
  app.delete(
    '/api/runs/:fid',
    {
      config: { access: 'runs.archive' },
      schema: { tags, summary: 'Archive a run: hide it from lists', params: z.object({ fid: fidParam }), ...answers({ 204: empty }, 401, 403, 404, 409) },
    },
    async (request, reply) => {
      const run = await visibleRun(context, request, request.params.fid, 'runs.archive')
      await controlRun(context, caller(request), run, 'archive')
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
      await controlRun(context, caller(request), run, 'restore')
      return reply.code(204).send()
    },
  )
}
