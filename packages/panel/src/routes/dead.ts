import type * as api from '@koco/core/api'
import {
  comparePositions,
  EVENT_BYTES_MAX,
  formatPosition,
  isEnded,
  isJsonObject,
  parseJson,
  parsePosition,
  PoisonError,
  toJsonText,
  type EventRecord,
  type Json,
} from '@koco/core'
import type { DeadEvent, WriteResult } from '@koco/storage'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { limit, pageOf } from '../shapes/json.ts'
import { caller, fidParam } from './visible-run.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const tags = ['operations']
const params = z.object({ id: z.coerce.number().int().min(1) })

const Dead = shapeOf<api.DeadEvent>()(
  z
    .object({ id: z.number(), fid: z.string(), position: z.string(), reason: z.string(), body: z.string().describe('what was found, as text'), at: z.number() })
    .meta({ id: 'DeadEvent', description: 'An entry of a stream that could not be stored.' }),
)

/** Entries that were set aside: look, retry, discard. */
export const deadRoutes: Routes = (app, context) => {
  const { dead } = context.store

  app.get(
    '/api/dead',
    {
      config: { access: 'dead.manage' },
      schema: {
        tags,
        summary: 'Entries that could not be stored',
        querystring: z.object({ fid: fidParam.optional(), after: z.string().max(500).optional(), limit: limit(200, 50) }),
        ...answers({ 200: pageOf(Dead) }, 401, 403),
      },
    },
    async (request) => {
      const { fid, after: cursor, limit: size } = request.query
      const page = await dead.list({ limit: size, ...(fid !== undefined && { fid }), ...(cursor !== undefined && { cursor }) })
      return { items: [...page.items], next: page.next }
    },
  )

  app.post(
    '/api/dead/:id/retry',
    {
      config: { access: 'dead.manage' },
      schema: {
        tags,
        summary: 'Write the entry to the store again; when that works it is off the list',
        params,
        ...answers({ 200: z.object({ fid: z.string(), position: z.string(), outcome: z.literal('stored') }) }, 401, 403, 404, 409, 422),
      },
    },
    async (request) => {
      const entry = await knownEntry(context, request.params.id)
      await writeAgain(context, entry)
      await dead.discard(entry.id)
      return { fid: entry.fid, position: entry.position, outcome: 'stored' }
    },
  )

  app.delete(
    '/api/dead/:id',
    {
      config: { access: 'dead.manage' },
      schema: {
        tags,
        summary: 'Discard the entry for good; a note takes its place in the timeline, so that what came after it can be read',
        params,
        ...answers({ 204: empty }, 401, 403, 404),
      },
    },
    async (request, reply) => {
      const entry = await knownEntry(context, request.params.id)
      await fillPlace(context, entry, caller(request).user)
      await dead.discard(entry.id)
      return reply.code(204).send()
    },
  )
}

async function knownEntry({ store }: PanelContext, id: number): Promise<DeadEvent> {
  const entry = await store.dead.get(id)
  if (entry) return entry
  throw new ProblemError(404, 'unknown_dead_event', `There is no dead event ${id}; it may have been retried or discarded.`)
}

/** A hole holds up all that comes after it: an event of a living run that nobody can store gives its place to a note that says so. Strangers never had a place. */
async function fillPlace(context: PanelContext, entry: DeadEvent, by: string): Promise<void> {
  const position = parsePosition(entry.position)
  if (!entry.reason.startsWith('poison') || !position || position.seq === 1) return
  const run = await context.store.runs.get(entry.fid)
  if (!run || isEnded(run.status) || comparePositions(position, run.lastPosition) <= 0) return
  const data = toJsonText({ type: 'text', value: `An event that could not be stored stood here; ${by} discarded it (dead event ${entry.id}).` })
  await write(context, entry.fid, { ...position, ts: entry.at, kind: 'warning', step: null, data })
}

async function write({ store, signals }: PanelContext, fid: string, record: EventRecord): Promise<WriteResult['alarms']> {
  const { runs, alarms } = await store.writer.write([{ fid, records: [record] }])
  await signals.publish(runs.map(({ fid: run, top, ended }) => ({ topic: 'committed', fid: run, position: formatPosition(top), ended })))
  return alarms
}

async function writeAgain(context: PanelContext, entry: DeadEvent): Promise<void> {
  const { fid } = entry
  const record = recordOf(entry)
  try {
    const alarms = await write(context, fid, record)
    const conflict = alarms.find((alarm) => alarm.alarm === 'conflict')
    if (conflict)
      throw new ProblemError(409, 'position_taken', `Position ${entry.position} of run ${fid} holds another event: ${conflict.note}. Discard this one.`)
  } catch (error) {
    if (error instanceof PoisonError) throw new ProblemError(422, 'still_poison', `The store refuses this entry still: ${error.message}`)
    throw error
  }
}

const Body = z.object({
  epoch: z.int().min(1),
  seq: z.int().min(1),
  ts: z.number(),
  kind: z.string().min(1).max(40),
  step: z.string().nullable(),
  data: z.string().refine((text) => Buffer.byteLength(text) <= EVENT_BYTES_MAX, 'is larger than an event may be'),
})

/** The record that an entry holds, checked anew. Problem 422 `not_an_event` when it is none or not the one of its position. */
function recordOf(entry: DeadEvent): EventRecord {
  const parsed = Body.safeParse(tryJson(entry.body))
  const why = parsed.success
    ? misfit(parsed.data, entry.position)
    : parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'} ${issue.message}`).join('; ')
  if (parsed.success && why === undefined) return parsed.data
  throw new ProblemError(422, 'not_an_event', `Entry ${entry.id} holds no event that could be stored (${why ?? 'no event'}). Discard it.`)
}

function misfit(record: EventRecord, position: string): string | undefined {
  if (formatPosition(record) !== position) return `it says position ${formatPosition(record)}, it was found at ${position}`
  const data = tryJson(record.data)
  if (data === undefined) return 'its data is not JSON'
  return record.seq === 1 && !(isJsonObject(data) && 'prev' in data) ? 'the first event of an epoch without its seal' : undefined
}

function tryJson(text: string): Json | undefined {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
