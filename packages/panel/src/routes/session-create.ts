import { z } from 'zod'
import { isJsonObject } from '@koco/core'
import { givenLabels, givenMessages, givenTitle, givenToolCalls, newSessionId } from '../chat/given.ts'
import {
  countField,
  fieldsOf,
  flagField,
  mustBeAt,
  ownSession,
  sessionAnswers,
  SessionError,
  sessionRoute,
  whoAsks,
  type Fields,
} from '../chat/session-error.ts'
import type { PanelContext, Routes } from '../context.ts'
import { createOnce } from '../server/idempotency.ts'
import { conversationJson, Message, SessionWithMessages } from '../shapes/session.ts'
import type { ChatSession, NewSession } from '@koco/storage'

const tags = ['sessions']
const config = { access: 'sessions.write' } as const
/** A repeated call with the same key gets the first one's answer. */
const keyHeader = z.object({ 'idempotency-key': z.string().min(1).max(200).optional() })
const IMPORT_BYTES_MAX = 64 * 1024 * 1024

const New = z.object({
  title: z.string().optional(),
  workspace: z.string().nullable().optional(),
  model: z.string().nullable().optional(),
  personality: z.string().nullable().optional(),
  project_id: z.string().nullable().optional(),
  flow: z.string().nullable().optional(),
})
const Import = New.extend({ messages: z.array(Message.partial({ id: true })), tool_calls: z.array(z.unknown()).optional(), pinned: z.boolean().optional() })
const Branch = z.object({
  session_id: z.string(),
  keep_count: z.number().int().min(0).optional(),
  title: z.string().optional(),
  expected_revision: z.number().int().optional(),
})
const Made = z.object({ ok: z.literal(true), session: SessionWithMessages })

/** Make sessions: empty, or of what was exported. */
export const sessionCreateRoutes: Routes = (app, context) => {
  const keyed = createKeyed(context)
  app.post(
    '/api/session/new',
    {
      ...sessionRoute,
      config,
      schema: { tags, headers: keyHeader, summary: 'Make an empty session', body: New, ...sessionAnswers(z.object({ session: SessionWithMessages })) },
    },
    async (request) => keyed(request, async () => ({ session: (await made(context, await create(context, request, givenLabels(fieldsOf(request))))).session })),
  )

  app.post(
    '/api/session/import',
    {
      ...sessionRoute,
      config,
      bodyLimit: IMPORT_BYTES_MAX,
      schema: {
        tags,
        headers: keyHeader,
        summary: 'Make a session of given messages',
        description: 'It gets a new id, whatever the body says.',
        body: Import,
        ...sessionAnswers(Made, 413),
      },
    },
    async (request) => {
      const fields = importFields(request.body)
      const given = {
        ...givenLabels(fields),
        title: givenTitle(fields) ?? 'Imported session',
        pinned: flagField(fields, 'pinned', false),
        messages: givenMessages(fields['messages']),
        toolCalls: givenToolCalls(fields['tool_calls']),
      }
      return keyed(request, async () => made(context, await create(context, request, given)))
    },
  )
}

/** Make sessions of other ones. */
export const sessionCopyRoutes: Routes = (app, context) => {
  const keyed = createKeyed(context)
  app.post(
    '/api/session/branch',
    {
      ...sessionRoute,
      config,
      schema: {
        tags,
        headers: keyHeader,
        summary: 'Fork a session: a new one with its first messages',
        body: Branch,
        ...sessionAnswers(Made.extend({ session_id: z.string(), title: z.string(), parent_session_id: z.string() }), 404, 409),
      },
    },
    async (request) => {
      const fields = fieldsOf(request, 'session_id')
      const keep = countField(fields, 'keep_count')
      const of = await ownSession(context, request, fields['session_id'])
      mustBeAt(fields, of)
      const title = givenTitle(fields) ?? `${of.title} (fork)`
      return keyed(request, async () => {
        const session = await copy(context, request, of, { title, parent: of.id }, keep)
        return { ...(await made(context, session)), session_id: session.id, title, parent_session_id: of.id }
      })
    },
  )

  app.post(
    '/api/session/duplicate',
    {
      ...sessionRoute,
      config,
      schema: {
        tags,
        headers: keyHeader,
        summary: 'Copy a session whole',
        body: Branch.pick({ session_id: true, expected_revision: true }),
        ...sessionAnswers(Made, 404, 409),
      },
    },
    async (request) => {
      const fields = fieldsOf(request, 'session_id')
      const of = await ownSession(context, request, fields['session_id'])
      mustBeAt(fields, of)
      return keyed(request, async () => made(context, await copy(context, request, of, { title: `${of.title} (copy)` })))
    },
  )
}

type Request = Parameters<typeof whoAsks>[0]

/** Does a request's work once for its Idempotency-Key and its user. */
function createKeyed({ clock }: PanelContext): <T>(request: Request, work: () => Promise<T>) => Promise<T> {
  const once = createOnce(clock)
  return (request, work) => {
    const key = request.headers['idempotency-key']
    return once(whoAsks(request).userId, typeof key === 'string' ? `${request.url} ${key}` : undefined, request.body, work)
  }
}

async function create({ store, clock }: PanelContext, request: Request, given: Partial<NewSession>): Promise<ChatSession> {
  return await store.sessions.create({ ...given, id: newSessionId(), user: whoAsks(request).user, at: clock() / 1000 })
}

async function copy(
  context: PanelContext,
  request: Request,
  of: ChatSession,
  change: { readonly title: string; readonly parent?: string },
  keep?: number,
): Promise<ChatSession> {
  const whole = await context.store.sessions.read(of.id)
  if (!whole) throw new SessionError(404, 'Session not found')
  const { model, workspace, personality, project, flow } = of
  const messages = keep === undefined ? whole.messages : whole.messages.slice(0, keep)
  return await create(context, request, { model, workspace, personality, project, flow, ...change, messages, toolCalls: whole.toolCalls })
}

async function made({ store }: PanelContext, { id }: ChatSession): Promise<z.infer<typeof Made>> {
  const whole = await store.sessions.read(id)
  if (!whole) throw new SessionError(404, 'Session not found')
  return { ok: true, session: conversationJson(whole) }
}

function importFields(body: unknown): Fields {
  if (!isJsonObject(body)) throw new SessionError(400, 'Request body must be a JSON object')
  return body
}
