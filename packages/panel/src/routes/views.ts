import type * as api from '@koco/core/api'
import type { ListedView } from '@koco/storage'
import { z } from 'zod'
import { can, type Principal } from '../auth/permissions.ts'
import { newId } from '../auth/secrets.ts'
import type { Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { pageOf } from '../shapes/json.ts'
import { shapeOf } from '../shapes/shape-of.ts'
import { caller } from './visible-run.ts'

const tags = ['runs']
const VIEWS_MAX = 100
const NAMES_MAX = 20
const printable = z.string().regex(/^\P{Cc}*$/u, 'may have no control characters')

const Body = z.object({
  name: printable.trim().min(1).max(60),
  search: z
    .record(z.string().regex(/^[a-z_]{1,30}$/), printable.max(200))
    .refine((search) => Object.keys(search).length <= NAMES_MAX, `at most ${NAMES_MAX} filters`)
    .describe('what the address of the list says behind its `?`, by name'),
  shared: z.boolean().default(false).describe('true: everybody sees it; for users and operators'),
})

const Shape = shapeOf<api.SavedView>()(
  z
    .object({
      id: z.string(),
      name: z.string(),
      search: z.record(z.string(), z.string()),
      shared: z.boolean(),
      mine: z.boolean(),
      user: z.string().describe('whose it is'),
      saved_at: z.number(),
    })
    .meta({ id: 'SavedView', description: 'Filters of the list of runs under a name.' }),
)

/** The filters that people keep under a name. */
export const viewRoutes: Routes = (app, context) => {
  const { views } = context.admin

  app.get(
    '/api/views',
    {
      config: { access: 'views.use' },
      schema: { tags, summary: 'My saved views, and what others share', ...answers({ 200: pageOf(Shape) }, 401) },
    },
    async (request) => {
      const me = caller(request)
      return { items: (await views.list(me.userId)).map((view) => viewJson(view, me)), next: null }
    },
  )

  app.post(
    '/api/views',
    {
      config: { access: 'views.use' },
      schema: {
        tags,
        summary: 'Keep filters under a name',
        description: 'One of mine of the same name is replaced and keeps its id, so sending the same twice does no harm.',
        body: Body,
        ...answers({ 201: Shape }, 401, 403, 409, 413, 422),
      },
    },
    async (request, reply) => {
      const me = caller(request)
      const { name, search, shared } = request.body
      if (shared && !can(me, 'views.share')) throw new ProblemError(403, 'not_allowed', 'Viewers keep views for themselves; a user or operator can share one.')
      const mine = (await views.list(me.userId)).filter((view) => view.userId === me.userId)
      if (mine.length >= VIEWS_MAX && !mine.some((view) => view.name === name))
        throw new ProblemError(409, 'too_many_views', `You have ${VIEWS_MAX} saved views, which is the limit; delete one first.`)
      const view = { id: newId(), userId: me.userId, name, search, shared, savedAt: context.clock() / 1000 }
      return reply.code(201).send(viewJson({ ...view, id: await views.put(view), user: me.user }, me))
    },
  )

  app.delete(
    '/api/views/:id',
    {
      config: { access: 'views.use' },
      schema: {
        tags,
        summary: 'Delete a view of mine; an operator also one that another shares',
        params: z.object({ id: z.string().min(1).max(64) }),
        ...answers({ 204: empty }, 401, 404),
      },
    },
    async (request, reply) => {
      const me = caller(request)
      const { id } = request.params
      const gone = (await views.delete(id, me.userId)) || (can(me, 'users.manage') && (await views.delete(id, null)))
      if (!gone) throw new ProblemError(404, 'unknown_view', `You have no saved view ${id}.`)
      return reply.code(204).send()
    },
  )
}

function viewJson({ id, name, search, shared, user, userId, savedAt }: ListedView, me: Principal): z.infer<typeof Shape> {
  return { id, name, search, shared, mine: userId === me.userId, user, saved_at: savedAt }
}
