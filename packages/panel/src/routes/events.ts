import { comparePositions, eventJson, formatPosition, isEnded, parsePosition, type Position } from '@koco/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { can } from '../auth/permissions.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answers, eventStream } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { cursorOf, Event, recordAt } from '../shapes/event.ts'
import { limit, list, pageOf } from '../shapes/json.ts'
import { follow } from '../tail/follow.ts'
import { wantsEvents } from './runs.ts'
import { searchLarge } from './search-large.ts'
import { caller, fidParam, visibleRun } from './visible-run.ts'

const EventsQuery = z.object({
  after: z.string().max(100).optional().describe('a position; the events after it'),
  kind: list.describe('one or several, with commas; pages only'),
  q: z.string().max(200).optional().describe('text to look for in the events and in their large results; pages only'),
  limit: limit(1_000, 200),
})

const EventPage = pageOf(Event).extend({
  unsearched: z
    .number()
    .int()
    .optional()
    .describe('of a search: large results in this stretch that were too much to look into for one page, or could not be read'),
})

/** A run's timeline: page by page, or live; and one event of it. */
export const eventRoutes: Routes = (app, context) => {
  oneEvent(app, context)
  app.get(
    '/api/runs/:fid/events',
    {
      config: { access: 'runs.read' },
      schema: {
        tags: ['events'],
        summary: "A run's timeline",
        description: `${eventStream} Frames: \`id\` the position, \`event\` the kind, one line of JSON. It starts after \`Last-Event-ID\` or \`after\`. Frames without id: \`gap\`, \`reset\`, \`end\`, \`delta\` (live text). After \`end\` a reconnect gets 204.`,
        params: z.object({ fid: fidParam }),
        querystring: EventsQuery,
        headers: z.object({ 'last-event-id': z.string().max(100).optional() }),
        ...answers(
          { 200: EventPage, 204: { type: 'text/event-stream', description: 'The run is over and the cursor is at its last event.' } },
          401,
          403,
          404,
          429,
        ),
      },
    },
    async (request, reply) => {
      const { fid } = request.params
      const { after, kind, q, limit: size } = request.query
      if (wantsEvents(request)) {
        if (kind !== undefined || q !== undefined) throw new ProblemError(400, 'bad_query', 'A live stream carries every event; leave `kind` and `q` out.')
        return tailRun(context, request, reply, fid, lastEventId(request) ?? after)
      }
      await visibleRun(context, request, fid, 'runs.read')
      const position = await cursorOf(context.store.reader, fid, after)
      const read = await context.store.reader.read(fid, {
        after: position,
        limit: size,
        ...(kind && { kinds: kind }),
        ...(q !== undefined && q !== '' && { q }),
      })
      const looked = q !== undefined && q !== '' && (kind?.includes('step') ?? true)
      const page = looked ? await searchLarge(context.store.reader, context.contents, { fid, after: position, q, limit: size }, read) : read
      const unsearched = 'unsearched' in page ? `,"unsearched":${page.unsearched}` : ''
      const next = page.caughtUp ? 'null' : `"${formatPosition(page.scanned)}"`
      // Records hold their data as JSON text; it goes out as it is.
      return reply
        .type('application/json; charset=utf-8')
        .send(`{"items":[${page.records.map((record) => eventJson(fid, record)).join(',')}],"next":${next}${unsearched}}`)
    },
  )
}

const oneEvent: Routes = (app, context) => {
  app.get(
    '/api/runs/:fid/events/:position',
    {
      config: { access: 'runs.read' },
      schema: {
        tags: ['events'],
        summary: 'One event of a run',
        params: z.object({ fid: fidParam, position: z.string().max(100) }),
        ...answers({ 200: Event }, 401, 403, 404),
      },
    },
    async (request, reply) => {
      const { fid, position } = request.params
      await visibleRun(context, request, fid, 'runs.read')
      const record = await recordAt(context.store.reader, fid, parsePosition(position))
      if (!record) throw new ProblemError(404, 'unknown_event', `Run ${fid} has no event at "${position}".`)
      return reply.type('application/json; charset=utf-8').send(eventJson(fid, record))
    },
  )
}

function lastEventId(request: FastifyRequest): string | undefined {
  const header = request.headers['last-event-id']
  return typeof header === 'string' && header !== '' ? header : undefined
}

/** Sends the timeline of a run live, from a cursor on. */
export async function tailRun(
  context: PanelContext,
  request: FastifyRequest,
  reply: FastifyReply,
  fid: string,
  cursor: string | undefined,
): Promise<FastifyReply> {
  const principal = caller(request)
  // The wake-ups first: what commits from here on is heard.
  const { tail, release } = context.tails.take(fid)
  try {
    const run = await visibleRun(context, request, fid, 'runs.read')
    const from: Position = await cursorOf(context.store.reader, fid, cursor)
    if (isEnded(run.status) && run.events > 0 && comparePositions(from, run.lastPosition) === 0) return await reply.code(204).send()
    const stillVisible = async (now: typeof principal): Promise<boolean> => can(now, 'runs.read', run)
    const position = (): string => formatPosition(tail.known)
    if (comparePositions(run.lastPosition, tail.known) > 0) tail.known = run.lastPosition
    const stream = context.streams.open(request, reply, { principal, allowed: stillVisible, position })
    try {
      await follow(tail, stream, from)
    } catch (error) {
      // The store is away in the middle of a stream: the reader comes again by its cursor and is told properly then.
      request.log.warn({ err: error, fid }, 'a live stream was cut because the store could not be read')
      stream.end(undefined, 'unavailable')
    }
    return reply
  } finally {
    release()
  }
}
