import type { User } from '@koco/storage'
import { z } from 'zod'
import { checkPassword } from '../auth/ensure-admin.ts'
import { makePassword, newId } from '../auth/secrets.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { createOnce } from '../server/idempotency.ts'
import { ProblemError } from '../server/problems.ts'
import { NewUser, UserChange, userJson, UserShape } from '../shapes/account.ts'
import { limit, pageByName, pageOf } from '../shapes/json.ts'
import { caller } from './visible-run.ts'

const tags = ['users']
const idempotency = z.object({ 'idempotency-key': z.string().min(1).max(200).optional() })

/** The people who may sign in; for operators. */
export const userRoutes: Routes = (app, context) => {
  const { admin, clock } = context
  const once = createOnce(clock)

  app.get(
    '/api/users',
    {
      config: { access: 'users.manage' },
      schema: {
        tags,
        summary: 'All users, by name',
        querystring: z.object({ after: z.string().max(500).optional(), limit: limit(500, 100) }),
        ...answers({ 200: pageOf(UserShape) }, 401, 403),
      },
    },
    async (request) => {
      const users = (await admin.users.list()).map(userJson).sort((a, b) => (a.name < b.name ? -1 : 1))
      return pageByName(users, request.query.after, request.query.limit)
    },
  )

  app.post(
    '/api/users',
    {
      config: { access: 'users.manage' },
      schema: {
        tags,
        summary: 'Add a user; a password that was made for them is shown this one time',
        headers: idempotency,
        body: NewUser,
        ...answers({ 201: UserShape.extend({ password: z.string().nullable() }) }, 401, 403, 409, 413, 422),
      },
    },
    async (request, reply) => {
      const made = await once(caller(request).userId, request.headers['idempotency-key'], request.body, () => addUser(context, request.body))
      return reply.code(201).header('location', `/api/users/${made.name}`).send(made)
    },
  )

  app.patch(
    '/api/users/:user',
    {
      config: { access: 'users.manage' },
      schema: {
        tags,
        summary: 'Change a user; deactivating one ends their sessions and streams at once',
        params: z.object({ user: z.string().min(1).max(100).describe('id or name') }),
        body: UserChange,
        ...answers({ 200: UserShape }, 401, 403, 404, 409, 413, 422),
      },
    },
    async (request) => {
      const { user: idOrName } = request.params
      const user = (await admin.users.get(idOrName)) ?? (await admin.users.find(idOrName))
      if (!user) throw new ProblemError(404, 'unknown_user', `There is no user "${idOrName}".`)
      return changeUser(context, user, request.body, caller(request).userId)
    },
  )
}

async function addUser(
  { admin, passwords, clock }: PanelContext,
  body: z.infer<typeof NewUser>,
): Promise<z.infer<typeof UserShape> & { password: string | null }> {
  const password = body.password ?? makePassword()
  checkPassword(password, body.name)
  const { name, email, role } = body
  const user = { id: newId(), name, email, role, active: true, createdAt: Math.floor(clock() / 1000), passwordHash: await passwords.hash(password) }
  await admin.users.create(user)
  return { ...userJson({ ...user, lastLoginAt: null }), password: body.password === undefined ? password : null }
}

async function changeUser(
  { admin, auth, passwords }: PanelContext,
  user: User,
  change: z.infer<typeof UserChange>,
  me: string,
): Promise<z.infer<typeof UserShape>> {
  const { email, role, active, password } = change
  if (user.id === me && (active === false || (role !== undefined && role !== user.role))) {
    throw new ProblemError(409, 'own_account', 'You cannot take your own rights away; another operator can.')
  }
  if (password !== undefined) checkPassword(password, user.name)
  const update = {
    ...(email !== undefined && { email }),
    ...(role !== undefined && { role }),
    ...(active !== undefined && { active }),
    ...(password !== undefined && { passwordHash: await passwords.hash(password) }),
  }
  await admin.users.update(user.id, update)
  // Rights are part of a session's identity: a change of them is a new sign-in.
  const mustSignInAgain = active === false || password !== undefined || (role !== undefined && role !== user.role)
  if (mustSignInAgain && user.id !== me) {
    await admin.sessions.deleteOf(user.id)
    await admin.tokens.revokeOf(user.id)
  }
  auth.revoke({ userId: user.id })
  return userJson({ ...user, ...update })
}
