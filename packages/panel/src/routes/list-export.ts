import type { RunQuery } from '@koco/storage'
import { toJson } from '@koco/core'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { limit } from '../shapes/json.ts'
import { RUN_CSV_HEAD, runCsv } from '../shapes/run-csv.ts'
import { runFilter, storeQuery } from '../shapes/run-filter.ts'
import type { Clean } from '../shapes/run-lines.ts'
import { runJson, type Run } from '../shapes/run.ts'
import { cleanerOf, redactAsked } from './run-export.ts'
import { caller } from './visible-run.ts'

const PAGE = 200
const RUNS_MAX = 100_000

const Query = z.object({
  ...runFilter,
  format: z.enum(['jsonl', 'csv']).default('jsonl'),
  limit: limit(RUNS_MAX, RUNS_MAX),
  redact: redactAsked,
})

/** The list of runs to take away. */
export const listExportRoutes: Routes = (app, context) => {
  app.get(
    '/api/runs/export',
    {
      config: { access: 'runs.read' },
      schema: {
        tags: ['runs'],
        summary: 'The list of runs as JSON lines or as a table',
        description: `What \`GET /api/runs\` lists for the same filter, newest first, a run a line, at most ${RUNS_MAX}: for older ones ask again with \`created_to\`. It is read page by page while it is sent, so it may be of any length and shows each run as it was at its turn.`,
        querystring: Query,
        ...answers({ 200: { type: 'application/x-ndjson', description: 'A run a line; with `format=csv` a table with a head.' } }, 401, 403),
      },
    },
    (request, reply) => {
      const { format, limit: max, redact, ...filter } = request.query
      const pages = runsOf(context, storeQuery(filter, caller(request), 'runs.read'), max, cleanerOf(redact))
      return reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8')
        .header('content-disposition', `attachment; filename="runs.${format}"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(format === 'csv' ? tableOf(pages) : linesOf(pages), { objectMode: false }))
    },
  )
}

type Row = z.infer<typeof Run>

async function* runsOf({ store, clock }: PanelContext, query: Omit<RunQuery, 'limit'> | undefined, max: number, clean: Clean): AsyncGenerator<readonly Row[]> {
  if (!query) return
  let left = max
  let { cursor } = query
  while (left > 0) {
    const { items, next } = await store.runs.list({ ...query, ...(cursor !== undefined && { cursor }), limit: Math.min(PAGE, left) })
    yield items.map((run) => clean(toJson(runJson(run, clock()))) as unknown as Row)
    left -= items.length
    if (next === null) return
    cursor = next
  }
}

async function* linesOf(pages: AsyncIterable<readonly Row[]>): AsyncGenerator<string> {
  for await (const page of pages) if (page.length > 0) yield page.map((run) => `${JSON.stringify(run)}\n`).join('')
}

async function* tableOf(pages: AsyncIterable<readonly Row[]>): AsyncGenerator<string> {
  yield RUN_CSV_HEAD
  for await (const page of pages) if (page.length > 0) yield page.map(runCsv).join('')
}
