import type * as api from '@koco/core/api'
import type { Budget } from '@koco/storage'
import { BUDGET_LID, type BudgetDecision } from '@koco/flow'
import { isJsonObject } from '@koco/core'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { caller } from './visible-run.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const tags = ['operations']
const BUDGETS_MAX = 200
const params = z.object({ id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, '1 to 63 of a-z, 0-9, dot, dash and underscore, a letter or digit first') })

const Body = z
  .object({
    flow: z.string().min(1).max(63).nullable().default(null).describe('null: every flow'),
    user: z.string().min(1).max(63).nullable().default(null).describe('null: everybody, together'),
    per: z.enum(['run', 'day']).describe('what one run may spend, or all on a day (UTC) together'),
    cost: z.number().positive().nullable().default(null),
    tokens: z.number().int().positive().nullable().default(null),
    warn_at: z.number().gt(0).max(1).default(0.8).describe('the part at which runs are warned'),
    assignees: z.array(z.string().min(1).max(63)).max(50).default([]).describe('users who may let a run go on; operators always may'),
  })
  .refine(({ cost, tokens }) => cost !== null || tokens !== null, { path: ['cost'], message: 'or tokens must be given' })

const Shape = shapeOf<api.Budget>()(
  z
    .object({
      id: z.string(),
      flow: z.string().nullable(),
      user: z.string().nullable(),
      per: z.enum(['run', 'day']),
      cost: z.number().nullable(),
      tokens: z.number().nullable(),
      warn_at: z.number(),
      assignees: z.array(z.string()),
      changed_at: z.number(),
      changed_by: z.string(),
    })
    .meta({ id: 'Budget', description: 'What may be spent on models before runs are held and people are asked.' }),
)

/** What may be spent; for operators. */
export const budgetRoutes: Routes = (app, context) => {
  const { budgets } = context.store

  app.get(
    '/api/budgets',
    {
      config: { access: 'budgets.manage' },
      schema: { tags, summary: 'All budgets', ...answers({ 200: z.object({ items: z.array(Shape), next: z.null() }) }, 401, 403) },
    },
    async () => ({ items: (await budgets.list()).map(budgetJson), next: null }),
  )

  app.put(
    '/api/budgets/:id',
    {
      config: { access: 'budgets.manage' },
      schema: {
        tags,
        summary: 'Make or change a budget',
        description: 'Runs see it within seconds, at their next step. Those that the budget holds look again, and go on when it lets them.',
        params,
        body: Body,
        ...answers({ 200: Shape }, 401, 403, 409, 413, 422),
      },
    },
    async (request) => {
      const { id } = request.params
      const { flow, user, per, cost: costMax, tokens: tokensMax, warn_at: warnAt, assignees } = request.body
      const known = await budgets.list()
      if (known.length >= BUDGETS_MAX && !known.some((one) => one.id === id))
        throw new ProblemError(409, 'too_many_budgets', `There are ${BUDGETS_MAX} budgets, which is the limit; delete one first.`)
      const by = caller(request).user
      const budget: Budget = { id, flow, user, per, costMax, tokensMax, warnAt, assignees, changedAt: context.clock() / 1000, changedBy: by }
      await budgets.put(budget)
      await lookAgain(context, id, by)
      return budgetJson(budget)
    },
  )

  app.delete(
    '/api/budgets/:id',
    {
      config: { access: 'budgets.manage' },
      schema: { tags, summary: 'Delete a budget; the runs that it holds go on', params, ...answers({ 204: empty }, 401, 403, 404) },
    },
    async (request, reply) => {
      const { id } = request.params
      if (!(await budgets.delete(id))) throw new ProblemError(404, 'unknown_budget', `There is no budget "${id}".`)
      await lookAgain(context, id, caller(request).user)
      return reply.code(204).send()
    },
  )
}

function budgetJson({ id, flow, user, per, costMax, tokensMax, warnAt, assignees, changedAt, changedBy }: Budget): z.infer<typeof Shape> {
  return { id, flow, user, per, cost: costMax, tokens: tokensMax, warn_at: warnAt, assignees: [...assignees], changed_at: changedAt, changed_by: changedBy }
}

/** Tells the runs that a budget holds to look at it again. */
async function lookAgain({ store, launcher }: PanelContext, id: string, by: string): Promise<void> {
  const answer = { decision: 'look again' satisfies BudgetDecision }
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof store.locks.list>> = await store.locks.list({ status: 'open', limit: 500, ...(cursor !== null && { cursor }) })
    const held = page.items.filter(({ lid, data }) => lid.startsWith(BUDGET_LID) && isJsonObject(data) && data['budget'] === id)
    for (const { fid, lid } of held) await launcher.answer(fid, lid, answer, by, 'The budget was changed.')
    cursor = page.next
  } while (cursor !== null)
}
