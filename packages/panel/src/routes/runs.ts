import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { can } from '../auth/permissions.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answers, eventStream } from '../server/describe.ts'
import { limit, pageOf } from '../shapes/json.ts'
import { lockJson } from '../shapes/lock.ts'
import { Run, RunDetail, runJson } from '../shapes/run.ts'
import { runFilter, storeQuery } from '../shapes/run-filter.ts'
import { caller, fidParam, visibleRun } from './visible-run.ts'

const tags = ['runs']
const LOCKS_SHOWN = 200

const RunsQuery = z.object({ ...runFilter, limit: limit(200, 50) })

/** List and get. */
export const runRoutes: Routes = (app, context) => {
  const { store, clock } = context

  app.get(
    '/api/runs',
    {
      config: { access: 'runs.read' },
      schema: {
        tags,
        summary: 'List runs, newest first',
        description: `${eventStream} Its \`run\` frames are the changed runs of the same user and flow filter; \`ready\` says that it stands, \`reset\` that changes were missed.`,
        querystring: RunsQuery,
        ...answers({ 200: pageOf(Run) }, 401, 403, 429),
      },
    },
    async (request, reply) => {
      if (wantsEvents(request)) return streamList(context, request, reply, request.query)
      const { limit: size, ...filter } = request.query
      const query = storeQuery(filter, caller(request), 'runs.read')
      if (!query) return { items: [], next: null }
      const page = await store.runs.list({ ...query, limit: size })
      return { items: page.items.map((run) => runJson(run, clock())), next: page.next }
    },
  )

  app.get(
    '/api/runs/:fid',
    {
      config: { access: 'runs.read' },
      schema: { tags, summary: 'A run with inputs, locks and result', params: z.object({ fid: fidParam }), ...answers({ 200: RunDetail }, 401, 403, 404) },
    },
    async (request) => {
      const run = await visibleRun(context, request, request.params.fid, 'runs.read')
      const { fid } = run
      const [locks, wanted, children] = await Promise.all([
        store.locks.list({ fid, limit: LOCKS_SHOWN }),
        store.runs.wanted(fid),
        store.runs.counts({ parent: fid }),
      ])
      return {
        ...runJson(run, clock()),
        locks: locks.items.map((lock) => lockJson(lock, run, caller(request))),
        inputs: run.inputs,
        archived: run.archived,
        launcher: run.launcher,
        temporal_url: run.launcher === 'temporal' && context.settings.workflowUrl !== null ? context.settings.workflowUrl + fid : null,
        children: Object.values(children).reduce((sum, count) => sum + count, 0),
        wanted: wanted === undefined || wanted.wanted === 'run' || run.finishedAt !== null ? null : wanted.wanted,
      }
    },
  )
}

/** True when the client would rather have a live stream. */
export function wantsEvents(request: FastifyRequest): boolean {
  return request.method === 'GET' && request.headers.accept?.includes('text/event-stream') === true
}

function streamList(
  context: PanelContext,
  request: FastifyRequest,
  reply: FastifyReply,
  query: { readonly flow?: string | undefined; readonly user?: string | undefined },
): FastifyReply {
  const principal = caller(request)
  const stream = context.streams.open(request, reply, { principal, allowed: async (now) => can(now, 'runs.read'), position: () => 'runs' })
  const { flow, user } = query
  context.feed.add(stream, (run) => can(principal, 'runs.read', run) && (flow === undefined || run.flow === flow) && (user === undefined || run.user === user))
  return reply
}
