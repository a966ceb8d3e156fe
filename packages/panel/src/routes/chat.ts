import type * as api from '@koco/core/api'
import { formatPosition, isFid, ORIGIN } from '@koco/core'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { givenWords, newId } from '../chat/given.ts'
import { say } from '../chat/say.ts'
import {
  expectedRevision,
  fieldsOf,
  mustBeDone,
  nullableField,
  ownSession,
  sessionAnswers,
  SessionError,
  sessionRoute,
  textField,
  whoAsks,
} from '../chat/session-error.ts'
import type { PanelContext, Routes } from '../context.ts'
import { createOnce } from '../server/idempotency.ts'
import { Message } from '../shapes/session.ts'
import { shapeOf } from '../shapes/shape-of.ts'
import { tailRun } from './events.ts'

const tags = ['chat']
const write = { access: 'sessions.write' } as const
const words = z.unknown().describe('a text, or an array of parts: `{type: "text", text}`, `{type: "image_url", image_url}`, …')
const STEER_MAX = 16_000

const Start = z.object({
  session_id: z.string(),
  message: words,
  attachments: z.array(z.unknown()).optional(),
  model: z.string().nullable().optional(),
  expected_revision: z.number().int().optional(),
})
const Started = z.object({
  ok: z.literal(true),
  stream_id: z.string().describe('the run; its timeline is the stream'),
  session_id: z.string(),
  turn_id: z.string(),
  title: z.string(),
  revision: z.number().int(),
})
const Queue = shapeOf<api.SessionQueue>()(
  z.object({
    ok: z.literal(true),
    session_id: z.string(),
    queue: z.array(z.object({ id: z.string(), message: Message })),
    steers: z
      .array(z.object({ id: z.string(), text: z.string() }))
      .describe('what was said into the running turn; it has heard what its timeline has as a `chat.message` of the same id'),
  }),
)
const byStream = z.object({ stream_id: z.string() })
const Cancelled = z.object({ ok: z.literal(true), cancelled: z.boolean(), stream_id: z.string() })

/** Say something; watch and stop what comes of it. */
export const chatRoutes: Routes = (app, context) => {
  const once = createOnce(context.clock)
  app.post(
    '/api/chat/start',
    {
      ...sessionRoute,
      config: write,
      bodyLimit: 16 * 1024 * 1024,
      schema: {
        tags,
        headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional() }),
        summary: 'Say something: a turn begins, which is a run',
        description: 'While a turn runs the answer is 409 with its `active_stream_id`; queue or steer then.',
        body: Start,
        ...sessionAnswers(Started, 404, 409, 413),
      },
    },
    async (request) => {
      const fields = fieldsOf(request, 'session_id')
      const { user, userId } = whoAsks(request)
      const key = request.headers['idempotency-key']
      return once(userId, typeof key === 'string' ? `start ${key}` : undefined, fields, () => say(context, user, fields))
    },
  )

  app.get(
    '/api/chat/stream',
    {
      ...sessionRoute,
      config: { access: 'sessions.read' },
      schema: {
        tags,
        summary: 'The timeline of a turn, live',
        description:
          'Server-sent events as of `/api/runs/:fid/events`: `id` is the position, to be sent back as `Last-Event-ID`. `after_seq`: a position, or how many events to pass over. After `end` a reconnect gets 204.',
        querystring: byStream.extend({ after_seq: z.string().optional() }),
        ...sessionAnswers({ type: 'text/event-stream', description: 'A live stream.' }, 404, 429),
      },
    },
    async (request, reply) => {
      const { stream_id: fid, after_seq: after } = request.query as { stream_id?: string; after_seq?: string }
      await ownRun(context, request, fid)
      const header = request.headers['last-event-id']
      const cursor = typeof header === 'string' && header !== '' ? header : await cursorAfter(context, String(fid), after)
      return tailRun(context, request, reply, String(fid), cursor)
    },
  )

  const cancel = async (request: FastifyRequest, fid: unknown): Promise<z.infer<typeof Cancelled>> => {
    const run = await ownRun(context, request, fid)
    const { outcome } = await context.launcher.cancel(run.fid, whoAsks(request).user, 'stopped in the chat')
    return { ok: true, cancelled: outcome === 'accepted', stream_id: run.fid }
  }
  const described = { tags, summary: 'Stop a turn; what it has said so far is kept', ...sessionAnswers(Cancelled, 404) }
  app.post('/api/chat/cancel', { ...sessionRoute, config: write, schema: { ...described, body: byStream } }, async (request) =>
    cancel(request, fieldsOf(request, 'stream_id')['stream_id']),
  )
  app.get('/api/chat/cancel', { ...sessionRoute, config: write, schema: { ...described, querystring: byStream } }, async (request) =>
    cancel(request, (request.query as { stream_id?: string }).stream_id),
  )
}

/** Say something to a turn that runs, or what is to be said after it. */
export const chatQueueRoutes: Routes = (app, context) => {
  const at = (): number => context.clock() / 1000
  const body = z.object({ session_id: z.string() })
  const acting = body.extend({ expected_revision: z.number().int().optional() })
  app.post(
    '/api/chat/steer',
    {
      ...sessionRoute,
      config: write,
      schema: {
        tags,
        summary: 'Say something into the running turn',
        description: 'The turn hears it before its next model call. One that ends before it has heard leaves it first in the queue.',
        body: acting.extend({ text: z.string() }),
        ...sessionAnswers(z.object({ ok: z.literal(true), accepted: z.literal(true), steer_id: z.string(), stream_id: z.string() }), 404, 409),
      },
    },
    async (request) => {
      const fields = fieldsOf(request, 'session_id', 'text')
      const text = textField(fields, 'text', STEER_MAX) ?? ''
      const options = { at: at(), expectedRevision: expectedRevision(fields) }
      const { id } = await ownSession(context, request, fields['session_id'])
      const steer = newId()
      const { session } = mustBeDone(await context.store.sessions.change(id, { do: 'steer', id: steer, text }, options), '')
      const fid = session.turn?.fid ?? ''
      await context.signals.publish([{ topic: 'control', fid }])
      return { ok: true, accepted: true, steer_id: steer, stream_id: fid }
    },
  )

  app.post(
    '/api/chat/queue',
    {
      ...sessionRoute,
      config: write,
      schema: {
        tags,
        summary: 'Say something after the running turn; at once when none runs. With `remove`: take it back',
        body: Start.partial().required({ session_id: true }).extend({ remove: z.string().optional() }),
        ...sessionAnswers(Queue.extend({ stream_id: z.string().nullable() }), 404, 409),
      },
    },
    async (request) => {
      const fields = fieldsOf(request, 'session_id')
      const remove = textField(fields, 'remove')
      const message = remove === undefined ? givenWords(fields['message'], fields['attachments'], at()) : undefined
      const model = nullableField(fields, 'model') ?? null
      const options = { at: at(), expectedRevision: expectedRevision(fields) }
      const { id } = await ownSession(context, request, fields['session_id'])
      const command = message ? ({ do: 'queue', id: newId(), message, model } as const) : ({ do: 'unqueue', id: remove ?? '' } as const)
      mustBeDone(await context.store.sessions.change(id, command, options), 'No such message waits.')
      await context.conversations.look(id)
      return { ...(await queueOf(context, id)), stream_id: (await context.store.sessions.get(id))?.turn?.fid ?? null }
    },
  )
  app.get(
    '/api/chat/queue',
    {
      ...sessionRoute,
      config: { access: 'sessions.read' },
      schema: { tags, summary: 'What waits to be said, and what was said into the running turn', querystring: body, ...sessionAnswers(Queue, 404) },
    },
    async (request) => {
      const { session_id: id } = request.query as { session_id?: string }
      if (!id) throw new SessionError(400, 'session_id is required')
      return queueOf(context, (await ownSession(context, request, id)).id)
    },
  )
}

async function queueOf({ store }: PanelContext, id: string) {
  const found = await store.sessions.read(id, { limit: 0 })
  return {
    ok: true as const,
    session_id: id,
    queue: (found?.queue ?? []).map(({ id: waiting, message }) => ({ id: waiting, message })),
    steers: (found?.steers ?? []).map(({ id: said, text }) => ({ id: said, text })),
  }
}

async function ownRun({ store }: PanelContext, request: FastifyRequest, fid: unknown) {
  if (typeof fid !== 'string' || fid === '') throw new SessionError(400, 'stream_id is required')
  const run = isFid(fid) ? await store.runs.get(fid) : undefined
  if (run && run.user === whoAsks(request).user) return run
  throw new SessionError(404, 'Stream not found')
}

/** A position as it is; a number as the position of that many-th event. */
async function cursorAfter({ store }: PanelContext, fid: string, after: string | undefined): Promise<string | undefined> {
  if (after === undefined || !/^\d{1,9}$/.test(after)) return after
  let left = Number(after)
  let position = ORIGIN
  while (left > 0) {
    const page = await store.reader.read(fid, { after: position, limit: Math.min(left, 1_000) })
    left -= page.records.length
    position = page.records.at(-1) ?? position
    if (page.caughtUp) break
  }
  return formatPosition(position)
}
