import type * as api from '@koco/core/api'
import type { AuditEntry, AuditQuery } from '@koco/storage'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { csvLine } from '../shapes/csv.ts'
import { json, limit, pageOf } from '../shapes/json.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const tags = ['operations']

const Entry = shapeOf<api.AuditEntry>()(
  z
    .object({
      id: z.string(),
      at: z.number(),
      actor: z.string().describe('the user, or the name that somebody tried to sign in by'),
      via: z.string().describe('how they were signed in; `none` at a sign-in'),
      action: z.string().describe('like `run.cancel`'),
      target: z.string(),
      status: z.number().int().describe('of the HTTP answer: below 400 it was done'),
      detail: json,
      address: z.string(),
    })
    .meta({ id: 'AuditEntry', description: 'Who did what.' }),
)

const filter = {
  actor: z.string().max(320).optional(),
  action: z.string().max(100).optional().describe('`run.cancel`, or `run` for all that begin so'),
  target: z.string().max(500).optional(),
  from: z.coerce.number().optional().describe('unix seconds'),
  to: z.coerce.number().optional().describe('unix seconds, exclusive'),
}
const PAGE = 1000
const COLUMNS = ['time', 'actor', 'via', 'action', 'target', 'status', 'address', 'detail'] as const

/** The audit log, for operators. */
export const auditRoutes: Routes = (app, context) => {
  app.get(
    '/api/audit',
    {
      config: { access: 'audit.read' },
      schema: {
        tags,
        summary: 'Who did what, newest first',
        description:
          'Sign-ins, starts, controls, answers, users, keys, schedules, budgets, dead events; refused tries too. Entries are never changed; they go when they are older than the installation keeps them.',
        querystring: z.object({ ...filter, after: z.string().max(500).optional(), limit: limit(500, 100) }),
        ...answers({ 200: pageOf(Entry) }, 401, 403),
      },
    },
    async (request) => {
      const { after, limit: size, ...wanted } = request.query
      const page = await context.admin.audit.list({ ...given(wanted), limit: size, ...(after !== undefined && { cursor: after }) })
      return { items: [...page.items], next: page.next }
    },
  )

  app.get(
    '/api/audit/export',
    {
      config: { access: 'audit.read' },
      schema: {
        tags,
        summary: 'The audit log as a file, newest first: JSON lines or CSV',
        querystring: z.object({ ...filter, format: z.enum(['jsonl', 'csv']).default('jsonl') }),
        ...answers({ 200: { type: 'application/x-ndjson', description: 'An entry a line; with `format=csv` a table.' } }, 401, 403),
      },
    },
    async (request, reply) => {
      const { format, ...wanted } = request.query
      const lines = format === 'csv' ? csvOf(entries(context, given(wanted))) : linesOf(entries(context, given(wanted)))
      return reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8')
        .header('content-disposition', `attachment; filename="audit.${format}"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(lines, { objectMode: false }))
    },
  )
}

type Filter = Omit<AuditQuery, 'cursor' | 'limit'>

function given(query: { readonly [K in keyof Filter]: Filter[K] | undefined }): Filter {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Filter
}

async function* entries({ admin }: PanelContext, wanted: Filter): AsyncGenerator<readonly AuditEntry[]> {
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof admin.audit.list>> = await admin.audit.list({ ...wanted, limit: PAGE, ...(cursor !== null && { cursor }) })
    yield page.items
    cursor = page.next
  } while (cursor !== null)
}

async function* linesOf(pages: AsyncIterable<readonly AuditEntry[]>): AsyncGenerator<string> {
  for await (const page of pages) if (page.length > 0) yield page.map((entry) => `${JSON.stringify(entry)}\n`).join('')
}

async function* csvOf(pages: AsyncIterable<readonly AuditEntry[]>): AsyncGenerator<string> {
  yield csvLine(COLUMNS)
  for await (const page of pages) if (page.length > 0) yield page.map(csvRow).join('')
}

function csvRow({ at, actor, via, action, target, status, address, detail }: AuditEntry): string {
  return csvLine([new Date(at * 1000).toISOString(), actor, via, action, target, status, address, JSON.stringify(detail)])
}
