import type { LockState } from '@koco/core'
import type { AnswerOutcome } from '@koco/flow'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { answerers, mayAnswer, maySee } from '../auth/lock-people.ts'
import { can, ownScope } from '../auth/permissions.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answerLock } from '../files/answer-lock.ts'
import { answers } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { json, limit, pageOf } from '../shapes/json.ts'
import { Lock, lockJson } from '../shapes/lock.ts'
import { caller, fidParam, visibleRun, type StoredRun } from './visible-run.ts'

const tags = ['locks']
const params = z.object({ fid: fidParam, lid: z.string().min(1).max(100) })
const status = z.enum(['open', 'answered', 'expired', 'closed'])
const paging = { after: z.string().max(500).optional(), limit: limit(200, 50) }

/** Questions of runs to people: the inbox, those of a run. */
export const lockRoutes: Routes = (app, context) => {
  const { store } = context

  app.get(
    '/api/locks',
    {
      config: { access: 'locks.read' },
      schema: {
        tags,
        summary: 'The inbox: questions of the runs that you may see, and those of others that are put to you',
        querystring: z.object({ status: status.default('open'), ...paging }),
        ...answers({ 200: pageOf(Lock) }, 401, 403),
      },
    },
    async (request) => {
      const { status: wanted, after: cursor, limit: size } = request.query
      const me = caller(request)
      const concerns = ownScope(me, 'locks.read') === undefined ? undefined : { user: me.user, role: me.role }
      const page = await store.locks.list({ status: wanted, limit: size, ...(concerns && { concerns }), ...(cursor !== undefined && { cursor }) })
      return { items: page.items.map((lock) => lockJson(lock, lock, me)), next: page.next }
    },
  )

  app.get(
    '/api/runs/:fid/locks',
    {
      config: { access: 'locks.read' },
      schema: {
        tags,
        summary: 'The questions of a run',
        params: params.pick({ fid: true }),
        querystring: z.object(paging),
        ...answers({ 200: pageOf(Lock) }, 401, 403, 404),
      },
    },
    async (request) => {
      const run = await visibleRun(context, request, request.params.fid, 'locks.read')
      const { after: cursor, limit: size } = request.query
      const page = await store.locks.list({ fid: run.fid, limit: size, ...(cursor !== undefined && { cursor }) })
      return { items: page.items.map((lock) => lockJson(lock, run, caller(request))), next: page.next }
    },
  )

  app.get(
    '/api/runs/:fid/locks/:lid',
    { config: { access: 'locks.read' }, schema: { tags, summary: 'A question', params, ...answers({ 200: Lock }, 401, 403, 404) } },
    async (request) => {
      const { lock, run } = await visibleLock(context, request, request.params)
      return lockJson(lock, run, caller(request))
    },
  )
}

/** Answering a question. */
export const answerRoutes: Routes = (app, context) => {
  app.post(
    '/api/runs/:fid/locks/:lid',
    {
      config: { access: 'locks.answer' },
      schema: {
        tags,
        summary: 'Answer a question; the first valid answer wins',
        description:
          'Who may: the assignees and roles of the question, without either the owner of the run; an operator always. Others are refused by `not_yours_to_answer`.',
        params,
        body: z
          .object({ answer: json, reason: z.string().trim().max(2_000).optional().describe('why; it stays in the timeline') })
          .refine((body) => 'answer' in body, { path: ['answer'], message: 'is missing; null is an answer too, but say it' }),
        ...answers({ 200: z.object({ outcome: z.literal('accepted'), fid: z.string(), lid: z.string() }) }, 401, 403, 404, 409, 413, 422),
      },
    },
    async (request) => {
      const { fid, lid } = request.params
      const { lock, run } = await visibleLock(context, request, request.params)
      if (!mayAnswer(caller(request), lock, run)) throw new ProblemError(403, 'not_yours_to_answer', `This question is for ${answerers(lock, run)} to answer.`)
      const { answer, reason } = request.body
      return answered(fid, lid, await answerLock(context, caller(request), { fid, lid, answer, reason: reason === '' ? undefined : reason }))
    },
  )
}

/** The question and its run, when the caller may see it; else it is unknown. */
async function visibleLock(
  { store }: PanelContext,
  request: FastifyRequest,
  { fid, lid }: { readonly fid: string; readonly lid: string },
): Promise<{ readonly lock: LockState; readonly run: StoredRun }> {
  const [lock, run] = await Promise.all([store.locks.get(fid, lid), store.runs.get(fid)])
  const me = caller(request)
  if (!run || !(can(me, 'locks.read', run) || (lock && maySee(me, lock, run))))
    throw new ProblemError(404, 'unknown_run', `There is no run ${fid} among those that you may see.`)
  if (!lock) throw unknownLock(fid, lid)
  return { lock, run }
}

function answered(fid: string, lid: string, outcome: AnswerOutcome): { outcome: 'accepted'; fid: string; lid: string } {
  switch (outcome.outcome) {
    case 'accepted':
      return { outcome: 'accepted', fid, lid }
    case 'answered':
      throw new ProblemError(409, 'lock_answered', `${outcome.by} was first: the question is answered.`)
    case 'invalid':
      throw new ProblemError(422, 'invalid_answer', 'The answer does not fit the form of the question.', { errors: outcome.fields })
    case 'unknown':
      throw unknownLock(fid, lid)
    default:
      throw new ProblemError(
        409,
        `lock_${outcome.outcome}`,
        outcome.outcome === 'expired' ? 'The time to answer is over.' : 'The run is over; nobody waits for the answer.',
      )
  }
}

function unknownLock(fid: string, lid: string): ProblemError {
  return new ProblemError(404, 'unknown_lock', `Run ${fid} has no question "${lid}".`)
}
