import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { checkPassword } from '../auth/ensure-admin.ts'
import { openSession, sessionCookie } from '../auth/sessions.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { SessionShape, sessionJson } from '../shapes/account.ts'
import { pageOf } from '../shapes/json.ts'
import { caller } from './visible-run.ts'

const tags = ['account']

/** My password and my sessions. */
export const myAccountRoutes: Routes = (app, context) => {
  const { admin, auth } = context

  app.post(
    '/api/auth/password',
    {
      config: { access: 'account.use' },
      schema: {
        tags,
        summary: 'Change my password; my other sessions end',
        body: z.object({ current: z.string().min(1).max(1024), new: z.string().min(1).max(256) }),
        ...answers({ 204: empty }, 401, 403, 409, 413, 422, 429),
      },
    },
    async (request, reply) => changePassword(context, request, reply, request.body),
  )

  app.get(
    '/api/auth/sessions',
    { config: { access: 'account.use' }, schema: { tags, summary: 'My signed-in browsers', ...answers({ 200: pageOf(SessionShape) }, 401) } },
    async (request) => {
      const { userId, credential } = caller(request)
      const sessions = await admin.sessions.list(userId)
      return { items: sessions.map((session) => sessionJson(session, credential)), next: null }
    },
  )

  app.delete(
    '/api/auth/sessions/:id',
    {
      config: { access: 'account.use' },
      schema: {
        tags,
        summary: 'End one of my sessions',
        params: z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) }),
        ...answers({ 204: empty }, 401, 403, 404),
      },
    },
    async (request, reply) => {
      const session = (await admin.sessions.list(caller(request).userId)).find((one) => one.idHash.startsWith(request.params.id))
      if (!session) throw new ProblemError(404, 'unknown_session', `You have no session ${request.params.id}.`)
      await admin.sessions.delete(session.idHash)
      auth.revoke({ credential: session.idHash })
      return reply.code(204).send()
    },
  )
}

async function changePassword(
  context: PanelContext,
  request: FastifyRequest,
  reply: FastifyReply,
  body: { readonly current: string; readonly new: string },
): Promise<FastifyReply> {
  const { admin, auth, passwords, settings, clock } = context
  const me = caller(request)
  if (me.via !== 'session') throw new ProblemError(409, 'no_session', 'A password is changed from a signed-in browser, not with an API key.')
  const user = await context.signIn(me.user, body.current, request.ip)
  checkPassword(body.new, user.name)
  await admin.users.update(user.id, { passwordHash: await passwords.hash(body.new) })
  await admin.sessions.deleteOf(user.id)
  await admin.tokens.revokeOf(user.id)
  auth.revoke({ userId: user.id })
  const cookie = sessionCookie(settings.publicUrl)
  const secret = await openSession(admin, context.hashSecret, user, request.headers['user-agent'] ?? '', clock())
  return reply.setCookie(cookie.name, secret, cookie.options).code(204).send()
}
