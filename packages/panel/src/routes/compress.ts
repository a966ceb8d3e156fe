import { isEnded, RefusedError } from '@koco/core'
import type { ChatSession } from '@koco/storage'
import { z } from 'zod'
import { countField, fieldsOf, mustBeAt, mustBeDone, ownSession, sessionAnswers, SessionError, sessionRoute, type Fields } from '../chat/session-error.ts'
import type { PanelContext, Routes } from '../context.ts'

const tags = ['sessions']
const KEEP = 4
const KEEP_MAX = 1_000

const body = z.object({
  session_id: z.string(),
  keep_count: z.number().int().min(0).max(KEEP_MAX).optional().describe('how many of the last messages stay as they are'),
  expected_revision: z.number().int().optional(),
})
const Job = z.object({
  ok: z.literal(true),
  session_id: z.string(),
  status: z.enum(['idle', 'running', 'done', 'error', 'cancelled']),
  job_id: z.string().nullable().describe('the run that does it'),
  error: z.string().nullable(),
  message_count: z.number().int(),
})

/** Make a long talk shorter: a job, which is a run that holds the session. */
export const compressRoutes: Routes = (app, context) => {
  const start = async (request: Parameters<typeof fieldsOf>[0]): Promise<z.infer<typeof Job>> => {
    const fields = fieldsOf(request, 'session_id')
    const keep = keepOf(fields)
    const session = await ownSession(context, request, fields['session_id'])
    // Asked again while it runs, it is the same job.
    if (session.turn?.kind === 'compress') return jobOf(context, session)
    mustBeAt(fields, session)
    return await begin(context, session, keep)
  }
  for (const path of ['/api/session/compress', '/api/session/compress/start']) {
    app.post(
      path,
      {
        ...sessionRoute,
        config: { access: 'sessions.write' },
        schema: { tags, summary: 'Make the talk shorter: its first messages become a summary', body, ...sessionAnswers(Job, 404, 409) },
      },
      start,
    )
  }
  app.get(
    '/api/session/compress/status',
    {
      ...sessionRoute,
      config: { access: 'sessions.read' },
      schema: { tags, summary: 'How far the last job is', querystring: z.object({ session_id: z.string() }), ...sessionAnswers(Job, 404) },
    },
    async (request) => {
      const { session_id: id } = request.query as { session_id?: string }
      if (!id) throw new SessionError(400, 'Missing session_id')
      return jobOf(context, await ownSession(context, request, id))
    },
  )
}

function keepOf(fields: Fields): number {
  const keep = countField(fields, 'keep_count') ?? KEEP
  if (keep > KEEP_MAX) throw new SessionError(400, `keep_count must be at most ${KEEP_MAX}`)
  return keep
}

async function begin(context: PanelContext, session: ChatSession, keep: number): Promise<z.infer<typeof Job>> {
  try {
    const begun = await context.conversations.compress(session, context.settings.compressFlow, keep)
    if (begun.outcome === 'busy') {
      const now = await context.conversations.look(session.id)
      if (now?.turn?.kind === 'compress') return await jobOf(context, now)
    }
    return await jobOf(context, mustBeDone(begun, '').session)
  } catch (error) {
    if (!(error instanceof RefusedError) || error.code !== 'unknown_flow') throw error
    throw new SessionError(400, 'Nothing here makes talks shorter: set KODO_LLM_URL and KODO_LLM_MODEL where koco is started.')
  }
}

async function jobOf({ store }: PanelContext, { id, turn, lastJob, messageCount }: ChatSession): Promise<z.infer<typeof Job>> {
  const common = { ok: true, session_id: id, message_count: messageCount } as const
  if (turn?.kind === 'compress') return { ...common, status: 'running', job_id: turn.fid, error: null }
  if (lastJob === null) return { ...common, status: 'idle', job_id: null, error: null }
  const run = await store.runs.get(lastJob.fid)
  const status = lastJob.end === 'finished' ? 'done' : lastJob.end === 'cancelled' ? 'cancelled' : 'error'
  const why = run && isEnded(run.status) ? (run.error?.message ?? null) : null
  return { ...common, status, job_id: lastJob.fid, error: status === 'error' ? (why ?? `The job ended as ${lastJob.end}.`) : null }
}
