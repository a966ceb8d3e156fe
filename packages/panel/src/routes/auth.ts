import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { localPath } from '../auth/local-path.ts'
import { openSession, sessionCookie } from '../auth/sessions.ts'
import type { Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { Me } from '../shapes/account.ts'
import { caller } from './visible-run.ts'

const tags = ['account']
const LoginBody = z.object({
  login: z.string().min(1).max(320).describe('name or e-mail address'),
  password: z.string().min(1).max(1024),
  next: z.string().max(2_000).optional().describe('where a form goes after sign-in; a path of this site'),
})

/** Sign in, sign out, who am I. */
export const authRoutes: Routes = (app, context) => {
  const { admin, settings, auth, clock } = context
  const cookie = sessionCookie(settings.publicUrl)

  app.post(
    '/api/auth/login',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Sign in with JSON or a form',
        description: 'A form is sent on to `next` (303). Wrong too often: 429 with Retry-After.',
        body: LoginBody,
        ...answers({ 200: Me, 303: empty }, 401, 403, 413, 415, 422, 429),
      },
    },
    async (request, reply) => {
      const { login, password, next } = request.body
      const user = await context.signIn(login, password, request.ip)
      request.actor = user.name
      const secret = await openSession(admin, context.hashSecret, user, request.headers['user-agent'] ?? '', clock())
      void reply.setCookie(cookie.name, secret, cookie.options)
      if (isForm(request)) return reply.redirect(localPath(next), 303)
      return {
        user: { id: user.id, name: user.name, email: user.email, role: user.role },
        via: 'session' as const,
        auth: settings.auth,
        version: context.version,
      }
    },
  )

  app.post(
    '/api/auth/logout',
    { config: { access: 'account.use' }, schema: { tags, summary: 'Sign out: the session and its streams end', ...answers({ 204: empty }, 401, 403) } },
    async (request, reply) => {
      const { via, credential } = caller(request)
      if (via === 'session') {
        await admin.sessions.delete(credential)
        auth.revoke({ credential })
      }
      const { maxAge: _, ...options } = cookie.options
      return reply.clearCookie(cookie.name, options).code(204).send()
    },
  )

  app.get('/api/auth/me', { config: { access: 'account.use' }, schema: { tags, summary: 'Who am I', ...answers({ 200: Me }, 401) } }, async (request) => {
    const { userId: id, user: name, email, role, via } = caller(request)
    return { user: { id, name, email, role }, via, auth: settings.auth, version: context.version }
  })
}

function isForm(request: FastifyRequest): boolean {
  return request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
}
