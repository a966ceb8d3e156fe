import type * as api from '@koco/core/api'
import type { Conversation } from '@koco/storage'
import { z } from 'zod'
import { ownSession, sessionAnswers, SessionError, sessionRoute, whoAsks } from '../chat/session-error.ts'
import { sessionPage } from '../chat/session-page.ts'
import type { PanelContext, Routes } from '../context.ts'
import { conversationJson, Message, sessionJson, SessionShape, SessionWithMessages, usageJson, UsageShape } from '../shapes/session.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const tags = ['sessions']
const config = { access: 'sessions.read' } as const
const LIMIT_MAX = 500
const DEPTH = 5

const byId = z.object({ session_id: z.string() })
const Window = byId.extend({
  messages: z.enum(['0', '1']).optional().describe('`0`: without messages'),
  msg_limit: z.string().optional().describe('the last so many messages, at most 500'),
  msg_before: z.string().optional().describe('of those before this index'),
})
const Status = UsageShape.extend({
  session_id: z.string(),
  title: z.string(),
  workspace: z.string().nullable(),
  personality: z.string().nullable(),
  message_count: z.number().int(),
  created_at: z.number(),
  updated_at: z.number(),
  agent_running: z.boolean().describe('true only while a turn really runs'),
  active_stream_id: z.string().nullable(),
})
const Hit = shapeOf<api.SessionHit>()(SessionShape.extend({ match_type: z.enum(['title', 'content']), preview: z.string(), message_id: z.string().nullable() }))

/** Read a session, its standing, what it has spent. */
export const sessionReadRoutes: Routes = (app, context) => {
  app.get(
    '/api/session',
    {
      ...sessionRoute,
      config,
      schema: {
        tags,
        summary: 'A session with its messages',
        querystring: Window,
        ...sessionAnswers(
          z.object({
            session: SessionWithMessages.extend({ pending_messages: z.array(Message).optional().describe('while a turn runs: what it has said so far') }),
          }),
          404,
        ),
      },
    },
    async (request) => {
      const query = queryOf(request.query)
      const id = required(query, 'session_id is required')
      const limit = query['messages'] === '0' ? 0 : numberOf(query, 'msg_limit', LIMIT_MAX)
      const before = numberOf(query, 'msg_before')
      await ownSession(context, request, id)
      const found = await context.store.sessions.read(id, { ...(limit !== undefined && { limit }), ...(before !== undefined && { before }) })
      const whole = mustBeThere(found)
      const fid = whole.session.turn?.fid
      const session = conversationJson(whole)
      return { session: fid === undefined || limit === 0 ? session : { ...session, pending_messages: await context.conversations.soFar(fid) } }
    },
  )

  app.get(
    '/api/session/status',
    { ...sessionRoute, config, schema: { tags, summary: 'How a session stands', querystring: byId, ...sessionAnswers(Status, 404) } },
    async (request) => {
      const whole = await spent(context, request, queryOf(request.query))
      const { session_id, title, workspace, personality, message_count, created_at, updated_at, active_stream_id } = sessionJson(whole.session)
      const standing = { session_id, title, workspace, personality, message_count, created_at, updated_at }
      return { ...standing, agent_running: active_stream_id !== null, active_stream_id, ...usageJson(whole, context.settings.prices) }
    },
  )

  app.get(
    '/api/session/usage',
    { ...sessionRoute, config, schema: { tags, summary: 'What a session has spent on models', querystring: byId, ...sessionAnswers(UsageShape, 404) } },
    async (request) => usageJson(await spent(context, request, queryOf(request.query)), context.settings.prices),
  )
}

/** Take a session away. */
export const sessionExportRoutes: Routes = (app, context) => {
  app.get(
    '/api/session/export',
    {
      ...sessionRoute,
      config,
      schema: {
        tags,
        summary: 'A session to take away',
        querystring: byId.extend({ format: z.enum(['json', 'html']).optional() }),
        ...sessionAnswers({ type: 'application/json', description: 'JSON that `import` takes, or with `format=html` a page without script.' }, 404),
      },
    },
    async (request, reply) => {
      const query = queryOf(request.query)
      const id = required(query, 'session_id is required')
      const format = query['format'] ?? 'json'
      if (format !== 'json' && format !== 'html') throw new SessionError(400, 'format must be json or html')
      await ownSession(context, request, id)
      const whole = mustBeThere(await context.store.sessions.read(id))
      void reply.header('content-disposition', `attachment; filename="koco-${id}.${format}"`)
      if (format === 'html') return reply.type('text/html; charset=utf-8').send(sessionPage(whole))
      const { _messages_offset: _offset, _messages_truncated: _truncated, ...session } = conversationJson(whole)
      return reply
        .type('application/json; charset=utf-8')
        .send(JSON.stringify({ ...session, tool_calls: whole.toolCalls, usage: usageJson(whole, context.settings.prices) }, null, 2))
    },
  )
}

/** List and search one's own sessions. */
export const sessionListRoutes: Routes = (app, context) => {
  const { store } = context
  app.get(
    '/api/sessions',
    {
      ...sessionRoute,
      config,
      schema: {
        tags,
        summary: 'Your sessions, pinned ones first, then the latest',
        querystring: z.object({
          after: z.string().optional(),
          limit: z.string().optional(),
          archived: z.enum(['0', '1', 'all']).optional(),
          q: z.string().optional(),
        }),
        ...sessionAnswers(z.object({ sessions: z.array(SessionShape), next: z.string().nullable() })),
      },
    },
    async (request) => {
      const query = queryOf(request.query)
      const { after: cursor, archived = '0', q } = query
      const limit = numberOf(query, 'limit', LIMIT_MAX) ?? 100
      const page = await store.sessions.list({
        user: whoAsks(request).user,
        limit: Math.max(1, limit),
        ...(archived !== 'all' && { archived: archived === '1' }),
        ...(cursor !== undefined && { cursor }),
        ...(q !== undefined && { q }),
      })
      return { sessions: page.items.map(sessionJson), next: page.next }
    },
  )

  app.get(
    '/api/sessions/search',
    {
      ...sessionRoute,
      config,
      schema: {
        tags,
        summary: 'Search in titles, and with `content=1` in what was said',
        querystring: z.object({ q: z.string().optional(), content: z.enum(['0', '1']).optional(), depth: z.string().optional(), limit: z.string().optional() }),
        ...sessionAnswers(z.object({ sessions: z.array(Hit), query: z.string(), count: z.number().int() })),
      },
    },
    async (request) => {
      const query = queryOf(request.query)
      const q = (query['q'] ?? '').slice(0, 500)
      const limit = Math.max(1, numberOf(query, 'limit', LIMIT_MAX) ?? 50)
      const depth = numberOf(query, 'depth', 100_000) ?? DEPTH
      const hits = await store.sessions.search({ user: whoAsks(request).user, q, content: query['content'] === '1', depth, limit })
      const sessions = hits.map(({ session, match, preview, messageId }) => ({ ...sessionJson(session), match_type: match, preview, message_id: messageId }))
      return { sessions, query: q, count: sessions.length }
    },
  )
}

type Query = Readonly<Record<string, string | undefined>>

function queryOf(query: unknown): Query {
  const given = Object.entries(query as Record<string, string | string[]>)
  return Object.fromEntries(given.map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]))
}

function required(query: Query, message: string): string {
  const { session_id: id } = query
  if (id === undefined || id === '') throw new SessionError(400, message)
  return id
}

/** A whole number of the query, at most so large. */
function numberOf(query: Query, name: string, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const text = query[name]
  if (text === undefined || text === '') return undefined
  if (!/^\d{1,15}$/.test(text)) throw new SessionError(400, `${name} must be a non-negative integer`)
  return Math.min(Number(text), max)
}

/** A session without its messages, but with what it has spent. */
async function spent(context: PanelContext, request: Parameters<typeof whoAsks>[0], query: Query): Promise<Conversation> {
  const id = required(query, 'Missing session_id')
  await ownSession(context, request, id)
  return mustBeThere(await context.store.sessions.read(id, { limit: 0 }))
}

function mustBeThere(found: Conversation | undefined): Conversation {
  if (!found) throw new SessionError(404, 'Session not found')
  return found
}
