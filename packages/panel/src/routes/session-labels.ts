import { isJsonObject, toJson } from '@koco/core'
import type { SessionLabels } from '@koco/storage'
import { z } from 'zod'
import { givenLabels, givenTitle } from '../chat/given.ts'
import {
  expectedRevision,
  fieldsOf,
  flagField,
  mustBeAt,
  mustBeDone,
  ownSession,
  sessionAnswers,
  SessionError,
  sessionRoute,
  textField,
  whoAsks,
  type Fields,
} from '../chat/session-error.ts'
import type { PanelContext, Routes } from '../context.ts'
import { sessionJson, SessionShape } from '../shapes/session.ts'

const tags = ['sessions']
const config = { access: 'sessions.write' } as const
const body = z.object({ session_id: z.string(), expected_revision: z.number().int().optional() })
const text = z.string().nullable().optional()
const Draft = z.object({ text: z.string(), files: z.array(z.unknown()) })
const DRAFT_MAX = 200_000

/** Name, pin, archive, move and delete sessions. */
export const sessionLabelRoutes: Routes = (app, context) => {
  const label = (path: string, summary: string, shape: z.ZodType, labels: (fields: Fields) => Partial<SessionLabels>, ...required: string[]): void => {
    const answer = z.object({ ok: z.literal(true), session: SessionShape })
    app.post(path, { ...sessionRoute, config, schema: { tags, summary, body: shape, ...sessionAnswers(answer, 404, 409) } }, async (request) => {
      const fields = fieldsOf(request, 'session_id', ...required)
      const change = labels(fields)
      const expected = expectedRevision(fields)
      const session = await ownSession(context, request, fields['session_id'])
      mustBeAt(fields, session)
      if (Object.keys(change).length === 0) return { ok: true, session: sessionJson(session) }
      const options = { at: context.clock() / 1000, expectedRevision: expected }
      const done = mustBeDone(await context.store.sessions.change(session.id, { do: 'label', labels: change }, options), '')
      return { ok: true, session: sessionJson(done.session) }
    })
  }
  label('/api/session/rename', 'Give a session another title', body.extend({ title: z.string() }), (fields) => ({ title: titleOf(fields) }), 'title')
  label('/api/session/pin', 'Pin a session, or with `pinned: false` no longer', body.extend({ pinned: z.boolean().optional() }), (fields) => ({
    pinned: flagField(fields, 'pinned', true),
  }))
  label('/api/session/archive', 'Archive a session, or with `archived: false` bring it back', body.extend({ archived: z.boolean().optional() }), (fields) => ({
    archived: flagField(fields, 'archived', true),
  }))
  label('/api/session/move', 'Move a session into a project or another workspace', body.extend({ project_id: text, workspace: text }), (fields) => {
    const { project, workspace } = givenLabels(fields)
    return { ...(project !== undefined && { project }), ...(workspace !== undefined && { workspace }) }
  })
  label(
    '/api/session/update',
    'Change model, workspace, personality or flow of a session',
    body.extend({ title: z.string().optional(), model: text, workspace: text, personality: text, project_id: text, flow: text }),
    givenLabels,
  )

  app.post(
    '/api/session/delete',
    {
      ...sessionRoute,
      config,
      schema: {
        tags,
        summary: 'Delete a session with its log and its workspace; may be repeated',
        body,
        ...sessionAnswers(z.object({ ok: z.literal(true) }), 409),
      },
    },
    async (request) => {
      const fields = fieldsOf(request, 'session_id')
      const session = await context.store.sessions.get(String(fields['session_id']))
      if (session?.user === whoAsks(request).user) {
        mustBeAt(fields, session)
        if (session.turn) await context.launcher.cancel(session.turn.fid, session.user, 'the session was deleted')
        await context.store.sessions.delete(session.id)
        await context.workspaces.removeAll({ user: session.user, session: session.id })
      }
      return { ok: true }
    },
  )
}

/** What somebody is about to say, kept between pages. */
export const sessionDraftRoutes: Routes = (app, context) => {
  const answer = z.object({ ok: z.literal(true), session_id: z.string(), draft: Draft })
  app.get(
    '/api/session/draft',
    {
      ...sessionRoute,
      config: { access: 'sessions.read' },
      schema: { tags, summary: 'What you were about to say', querystring: z.object({ session_id: z.string() }), ...sessionAnswers(answer, 404) },
    },
    async (request) => {
      const { session_id: id } = request.query as { session_id?: string }
      if (!id) throw new SessionError(400, 'session_id is required')
      const session = await ownSession(context, request, id)
      return { ok: true, session_id: session.id, draft: draftOf(await context.store.sessions.draft(session.id)) }
    },
  )

  app.post(
    '/api/session/draft',
    {
      ...sessionRoute,
      config,
      schema: { tags, summary: 'Keep what you are about to say', body: body.extend(Draft.partial().shape), ...sessionAnswers(answer, 404, 409) },
    },
    async (request) => {
      const fields = fieldsOf(request, 'session_id')
      const said = textField(fields, 'text', DRAFT_MAX)
      const { files } = fields
      if (files !== undefined && !Array.isArray(files)) throw new SessionError(400, 'files must be an array')
      const session = await ownSession(context, request, fields['session_id'])
      mustBeAt(fields, session)
      const before = draftOf(await context.store.sessions.draft(session.id))
      const draft = { text: said ?? before.text, files: files ?? before.files }
      await keepDraft(context, session.id, draft)
      return { ok: true, session_id: session.id, draft }
    },
  )
}

async function keepDraft({ store }: PanelContext, id: string, draft: z.infer<typeof Draft>): Promise<void> {
  const empty = draft.text === '' && draft.files.length === 0
  if (!(await store.sessions.setDraft(id, empty ? null : toJson(draft)))) throw new SessionError(404, 'Session not found')
}

function draftOf(draft: unknown): z.infer<typeof Draft> {
  if (!isJsonObject(draft)) return { text: '', files: [] }
  const { text: said, files } = draft
  return { text: typeof said === 'string' ? said : '', files: Array.isArray(files) ? files : [] }
}

function titleOf(fields: Fields): string {
  const title = givenTitle(fields)
  if (title === undefined) throw new SessionError(400, 'Missing required field(s): title')
  return title
}
