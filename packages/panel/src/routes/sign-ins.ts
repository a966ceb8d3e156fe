import { z } from 'zod'
import type { Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { SignIn, signInJson } from '../shapes/account.ts'
import { pageOf } from '../shapes/json.ts'
import { caller } from './visible-run.ts'

const tags = ['account']

/** The programs that are signed in by tokens in my name. */
export const signInRoutes: Routes = (app, context) => {
  const { admin, auth, clock } = context

  app.get(
    '/api/auth/sign-ins',
    {
      config: { access: 'account.use' },
      schema: { tags, summary: 'My programs that are signed in by tokens, the last used first', ...answers({ 200: pageOf(SignIn) }, 401) },
    },
    async (request) => {
      const { userId, credential } = caller(request)
      const now = clock() / 1000
      const families = (await admin.tokens.list(userId)).filter(({ expiresAt }) => expiresAt > now)
      return { items: families.map((family) => signInJson(family, credential)), next: null }
    },
  )

  app.delete(
    '/api/auth/sign-ins/:id',
    {
      config: { access: 'account.use' },
      schema: {
        tags,
        summary: 'Sign one of my programs out: its tokens are refused at once',
        params: z.object({ id: z.string().min(1).max(100) }),
        ...answers({ 204: empty }, 401, 403, 404),
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const family = (await admin.tokens.list(caller(request).userId)).find((one) => one.id === id)
      if (!family) throw new ProblemError(404, 'unknown_sign_in', `You have no program signed in as ${id}.`)
      await admin.tokens.revoke(id)
      auth.revoke({ credential: id })
      return reply.code(204).send()
    },
  )
}
