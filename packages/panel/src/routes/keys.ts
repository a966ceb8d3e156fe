import { z } from 'zod'
import { createApiKey } from '../auth/api-keys.ts'
import { can } from '../auth/permissions.ts'
import type { Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { createOnce } from '../server/idempotency.ts'
import { ProblemError } from '../server/problems.ts'
import { Key, keyJson } from '../shapes/account.ts'
import { pageOf } from '../shapes/json.ts'
import { caller } from './visible-run.ts'

const tags = ['keys']
const KEYS_MAX = 100

/** API keys for programs: `Authorization: Bearer koco_…`. */
export const keyRoutes: Routes = (app, context) => {
  const { admin, auth, clock } = context
  const once = createOnce(clock)

  app.get(
    '/api/keys',
    {
      config: { access: 'keys.manage' },
      schema: {
        tags,
        summary: 'My keys; an operator may see those of all',
        querystring: z.object({ all: z.enum(['true', 'false']).optional() }),
        ...answers({ 200: pageOf(Key) }, 401, 403),
      },
    },
    async (request) => {
      const me = caller(request)
      const all = request.query.all === 'true'
      if (all && !can(me, 'users.manage')) throw new ProblemError(403, 'not_allowed', 'Only an operator sees the keys of others.')
      const names = all ? new Map((await admin.users.list()).map((user) => [user.id, user.name])) : new Map([[me.userId, me.user]])
      const keys = await admin.keys.list(all ? null : me.userId)
      return { items: keys.map((key) => keyJson(key, names.get(key.userId) ?? null)), next: null }
    },
  )

  app.post(
    '/api/keys',
    {
      config: { access: 'keys.manage' },
      schema: {
        tags,
        summary: 'Make a key; its text is shown this one time',
        headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional() }),
        body: z.object({ name: z.string().trim().min(1).max(100).describe('what it is for') }),
        ...answers({ 201: Key.extend({ key: z.string() }) }, 401, 403, 409, 413, 422),
      },
    },
    async (request, reply) => {
      const me = caller(request)
      const made = await once(me.userId, request.headers['idempotency-key'], request.body, async () => {
        if ((await admin.keys.list(me.userId)).length >= KEYS_MAX)
          throw new ProblemError(409, 'too_many_keys', `You have ${KEYS_MAX} keys, which is the limit; delete one first.`)
        return createApiKey(admin, context.hashSecret, { userId: me.userId, name: request.body.name }, clock())
      })
      return reply.code(201).send({ ...keyJson(made.record, me.user), key: made.key })
    },
  )

  app.delete(
    '/api/keys/:id',
    {
      config: { access: 'keys.manage' },
      schema: {
        tags,
        summary: 'Delete a key; it is refused at once',
        params: z.object({ id: z.string().min(1).max(64) }),
        ...answers({ 204: empty }, 401, 403, 404),
      },
    },
    async (request, reply) => {
      const me = caller(request)
      const scope = can(me, 'users.manage') ? null : me.userId
      const key = (await admin.keys.list(scope)).find((one) => one.id === request.params.id)
      if (!key || !(await admin.keys.delete(key.id, scope))) throw new ProblemError(404, 'unknown_key', `You have no key ${request.params.id}.`)
      auth.revoke({ credential: key.hash })
      return reply.code(204).send()
    },
  )
}
