import type { FastifyReply } from 'fastify'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { redact } from '../shapes/redact.ts'
import { reportEnd, reportHead, reportRow } from '../shapes/report.ts'
import { eventsOf, runLines, wholeRun, type Clean } from '../shapes/run-lines.ts'
import { fidParam, visibleRun, type StoredRun } from './visible-run.ts'

const REPORT_EVENTS_MAX = 10_000

/** Whether what leaves is to be cleaned. */
export const redactAsked = z.enum(['0', '1', 'true', 'false']).optional().describe('`1`: without what looks like a secret or an address of a person')

const Query = z.object({ redact: redactAsked })

/** A whole run to take away: as JSON lines, or as a page for paper. */
export const runExportRoutes: Routes = (app, context) => {
  const route = (summary: string, type: string, description: string) => ({
    config: { access: 'runs.read' as const },
    schema: { tags: ['runs'], summary, params: z.object({ fid: fidParam }), querystring: Query, ...answers({ 200: { type, description } }, 401, 403, 404) },
  })
  app.get(
    '/api/runs/:fid/export',
    route(
      'A run with its whole timeline as JSON lines',
      'application/x-ndjson',
      'The first line is the run, `{"run": …}`; each other one an event, `{"event": …}`.',
    ),
    async (request, reply) => {
      const run = await visibleRun(context, request, request.params.fid, 'runs.read')
      const clean = cleanerOf(request.query.redact)
      return send(reply, run, 'application/x-ndjson; charset=utf-8', 'jsonl', runLines(context, run, clean))
    },
  )
  app.get('/api/runs/:fid/report', route('A run as a page for paper', 'text/html', 'HTML without script.'), async (request, reply) => {
    const run = await visibleRun(context, request, request.params.fid, 'runs.read')
    return send(reply, run, 'text/html; charset=utf-8', null, reportPage(context, run, cleanerOf(request.query.redact)))
  })
}

/** What is done to values on their way out, as `redactAsked` says. */
export function cleanerOf(asked: string | undefined): Clean {
  return asked === '1' || asked === 'true' ? redact : (value) => value
}

function send(reply: FastifyReply, run: StoredRun, type: string, download: string | null, lines: AsyncIterable<string>): FastifyReply {
  if (download !== null) void reply.header('content-disposition', `attachment; filename="${run.flow.replaceAll(/[^\w.-]/g, '_')}-${run.fid}.${download}"`)
  return reply
    .type(type)
    .header('cache-control', 'no-store')
    .send(Readable.from(lines, { objectMode: false }))
}

async function* reportPage(context: PanelContext, run: StoredRun, clean: Clean): AsyncGenerator<string> {
  yield reportHead(clean(wholeRun(context, run)) as { readonly [name: string]: unknown })
  let count = 0
  for await (const events of eventsOf(context, run.fid)) {
    yield events.map((event) => reportRow({ ...event, data: clean(event.data) })).join('')
    count += events.length
    if (count >= REPORT_EVENTS_MAX) break
  }
  yield reportEnd(count >= REPORT_EVENTS_MAX)
}
