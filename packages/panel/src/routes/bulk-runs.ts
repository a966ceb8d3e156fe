import type * as api from '@koco/core/api'
import { KocoError } from '@koco/core'
import { z } from 'zod'
import { can, type Principal } from '../auth/permissions.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { runFilter, storeQuery } from '../shapes/run-filter.ts'
import { controlRun, rightFor, RunControl } from './control-run.ts'
import { caller, fidParam } from './visible-run.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const RUNS_MAX = 200
const AT_ONCE = 8

const Body = z
  .object({
    action: RunControl,
    fids: z.array(fidParam).min(1).max(RUNS_MAX).optional(),
    filter: z.object(runFilter).optional().describe('as in `GET /api/runs`, instead of `fids`'),
    reason: z.string().max(500).optional(),
  })
  .refine(({ fids, filter }) => (fids === undefined) !== (filter === undefined), 'Either `fids` or `filter` is needed')

const Outcome = shapeOf<api.BulkOutcome>()(
  z.object({
    fid: z.string(),
    outcome: z.enum(['accepted', 'refused']),
    code: z.string().nullable().describe('of the problem that the single request would have had'),
    detail: z.string().nullable(),
  }),
)
type Outcome = z.infer<typeof Outcome>

/** The same request to many runs at once. */
export const bulkRunRoutes: Routes = (app, context) => {
  app.post(
    '/api/runs/bulk',
    {
      config: { access: 'runs.control' },
      schema: {
        tags: ['runs'],
        summary: 'Pause, resume, cancel, retry, archive or restore many runs',
        description: `By ids, or all that match a filter: at most ${RUNS_MAX} a request, each with an outcome of its own. \`next\` says that more match: send the same request with it as \`filter.after\`. It may be repeated.`,
        body: Body,
        ...answers({ 200: z.object({ items: z.array(Outcome), next: z.string().nullable() }) }, 401, 403, 413, 422),
      },
    },
    async (request) => {
      const { action, fids, filter, reason } = request.body
      const me = caller(request)
      if (!can(me, rightFor(action))) throw new ProblemError(403, 'not_allowed', `The role ${me.role} may not do this (${rightFor(action)}).`)
      const chosen = fids ? { fids: [...new Set(fids)], next: null } : await matching(context, me, action, filter ?? {})
      return { items: await askAll(context, me, chosen.fids, action, reason), next: chosen.next }
    },
  )
}

async function matching(
  { store }: PanelContext,
  me: Principal,
  action: RunControl,
  filter: Parameters<typeof storeQuery>[0],
): Promise<{ readonly fids: readonly string[]; readonly next: string | null }> {
  const query = storeQuery(filter, me, rightFor(action))
  if (!query) return { fids: [], next: null }
  const { items, next } = await store.runs.list({ ...query, limit: RUNS_MAX })
  return { fids: items.map((run) => run.fid), next }
}

async function askAll(context: PanelContext, me: Principal, fids: readonly string[], action: RunControl, reason?: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let from = 0; from < fids.length; from += AT_ONCE) {
    outcomes.push(...(await Promise.all(fids.slice(from, from + AT_ONCE).map((fid) => askOne(context, me, fid, action, reason)))))
  }
  return outcomes
}

async function askOne(context: PanelContext, me: Principal, fid: string, action: RunControl, reason?: string): Promise<Outcome> {
  try {
    await controlRun(context, me, await context.store.runs.get(fid), action, reason)
    return { fid, outcome: 'accepted', code: null, detail: null }
  } catch (error) {
    // One run's refusal, or its store that is away for a moment, says nothing of the others.
    if (!(error instanceof KocoError)) throw error
    return { fid, outcome: 'refused', code: error.code, detail: error.message }
  }
}
