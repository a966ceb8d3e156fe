import type { SessionCommand } from '@koco/storage'
import { textOfContent } from '@koco/storage'
import { z } from 'zod'
import {
  countField,
  expectedRevision,
  fieldsOf,
  mustBeDone,
  ownSession,
  sessionAnswers,
  SessionError,
  sessionRoute,
  type Fields,
} from '../chat/session-error.ts'
import type { PanelContext, Routes } from '../context.ts'
import { conversationJson, previewOf, SessionWithMessages } from '../shapes/session.ts'

const tags = ['sessions']
const config = { access: 'sessions.write' } as const
const body = z.object({ session_id: z.string(), expected_revision: z.number().int().optional() })
const removed = z.object({ ok: z.literal(true), removed_count: z.number().int(), revision: z.number().int() })
const changed = z.object({ ok: z.literal(true), session: SessionWithMessages })

/** Take back what was said, and bring it back: nothing is destroyed until something new is said, and not even then. */
export const sessionEditRoutes: Routes = (app, context) => {
  const route = (summary: string, shape: z.ZodType, answer: z.ZodType) => ({
    ...sessionRoute,
    config,
    schema: { tags, summary, body: shape, ...sessionAnswers(answer, 404, 409) },
  })

  app.post(
    '/api/session/retry',
    route(
      'Take the last thing that you said back, with all after it; send its text again',
      body,
      removed.extend({ last_user_text: z.string(), attachments: z.array(z.unknown()) }),
    ),
    async (request) => {
      const done = await act(context, request, () => ({ do: 'retry' }), 'No previous message to retry.')
      const { first, removed: count, session } = done
      const attachments = Array.isArray(first?.['attachments']) ? first['attachments'] : []
      return { ok: true, last_user_text: first ? textOfContent(first.content) : '', removed_count: count, attachments, revision: session.revision }
    },
  )

  app.post(
    '/api/session/undo',
    route('Take the last turns back', body.extend({ turns: z.number().int().min(1).optional() }), removed.extend({ removed_preview: z.string() })),
    async (request) => {
      const command = (fields: Fields): SessionCommand => ({ do: 'undo', turns: turnsOf(fields) })
      const { first, removed: count, session } = await act(context, request, command, 'Nothing to undo.')
      return { ok: true, removed_count: count, removed_preview: previewOf(first), revision: session.revision }
    },
  )

  app.post(
    '/api/session/redo',
    route('Bring back what was taken back last', body, z.object({ ok: z.literal(true), restored_count: z.number().int(), revision: z.number().int() })),
    async (request) => {
      const { restored, session } = await act(context, request, () => ({ do: 'redo' }), 'Nothing to redo.')
      return { ok: true, restored_count: restored, revision: session.revision }
    },
  )

  app.post('/api/session/truncate', route('Keep the first messages only', body.extend({ keep_count: z.number().int().min(0) }), changed), async (request) => {
    const fields = fieldsOf(request, 'session_id', 'keep_count')
    await cut(context, request, countField(fields, 'keep_count') ?? 0)
    return whole(context, fields)
  })

  app.post('/api/session/clear', route('Take back everything that was said', body, changed), async (request) => {
    await cut(context, request, 0)
    return whole(context, fieldsOf(request))
  })
}

type Request = Parameters<typeof ownSession>[1]

async function act(context: PanelContext, request: Request, command: (fields: Fields) => SessionCommand, nothing: string) {
  const fields = fieldsOf(request, 'session_id')
  const expected = expectedRevision(fields)
  const wanted = command(fields)
  const { id } = await ownSession(context, request, fields['session_id'])
  return mustBeDone(await context.store.sessions.change(id, wanted, { at: context.clock() / 1000, expectedRevision: expected }), nothing)
}

/** To keep what is all there is changes nothing, and is no error. */
async function cut(context: PanelContext, request: Request, keep: number): Promise<void> {
  try {
    await act(context, request, () => ({ do: 'truncate', keep }), '')
  } catch (error) {
    if (!(error instanceof SessionError) || error.status !== 200) throw error
  }
}

async function whole({ store }: PanelContext, { session_id: id }: Fields): Promise<z.infer<typeof changed>> {
  const found = await store.sessions.read(String(id))
  if (!found) throw new SessionError(404, 'Session not found')
  return { ok: true, session: conversationJson(found) }
}

function turnsOf(fields: Fields): number {
  const turns = countField(fields, 'turns') ?? 1
  if (turns < 1) throw new SessionError(400, 'turns must be at least 1')
  return turns
}
