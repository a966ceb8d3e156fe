import type { User } from '@koco/storage'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { checkPassword } from '../auth/ensure-admin.ts'
import { openSession, sessionCookie } from '../auth/sessions.ts'
import { createThrottle, type Throttle } from '../auth/throttle.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { Me, SessionShape, sessionJson } from '../shapes/account.ts'
import { pageOf } from '../shapes/json.ts'
import { caller } from './visible-run.ts'

const tags = ['account']
const LoginBody = z.object({
  login: z.string().min(1).max(320).describe('name or e-mail address'),
  password: z.string().min(1).max(1024),
  next: z.string().max(2_000).optional().describe('where a form goes after sign-in; a path of this site'),
})

/** Failures that pass before somebody must wait: under one account from one address, one account from anywhere, one address for any account. */
const FREE = { pair: 5, account: 20, address: 50 }

/** Sign in, sign out, who am I, my sessions. */
export const authRoutes: Routes = (app, context) => {
  const { admin, settings, auth, clock } = context
  const cookie = sessionCookie(settings.publicUrl)
  const throttles = createLoginThrottles(clock)

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
      const user = await signIn(context, throttles, request, login, password)
      const secret = await openSession(admin, user, request.headers['user-agent'] ?? '', clock())
      void reply.setCookie(cookie.name, secret, cookie.options)
      if (isForm(request)) return reply.redirect(localPath(next), 303)
      return { user: { name: user.name, email: user.email, role: user.role }, via: 'session' as const, auth: settings.auth, version: context.version }
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
    const { user: name, email, role, via } = caller(request)
    return { user: { name, email, role }, via, auth: settings.auth, version: context.version }
  })

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
    async (request, reply) => changePassword(context, throttles, request, reply, request.body),
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

type LoginThrottles = {
  readonly waitS: (account: string, address: string) => number
  readonly failed: (account: string, address: string) => void
  readonly succeeded: (account: string, address: string) => void
}

function createLoginThrottles(clock: () => number): LoginThrottles {
  const pairs = createThrottle(clock, FREE.pair)
  const accounts = createThrottle(clock, FREE.account)
  const addresses = createThrottle(clock, FREE.address)
  const each = <T>(account: string, address: string, act: (throttle: Throttle, name: string) => T): T[] => [
    act(pairs, `${account} ${address}`),
    act(accounts, account),
    act(addresses, address),
  ]
  return {
    waitS: (account, address) => Math.max(...each(account, address, (throttle, name) => throttle.waitS([name]))),
    failed: (account, address) => void each(account, address, (throttle, name) => throttle.failed([name])),
    succeeded: (account, address) => pairs.succeeded([`${account} ${address}`]),
  }
}

/** The user of a right login and password. Everything else takes as long and gets the same answer: problem 401 `wrong_login`. */
async function signIn(context: PanelContext, throttles: LoginThrottles, request: FastifyRequest, login: string, password: string): Promise<User> {
  const account = login.trim().toLowerCase()
  const waitS = throttles.waitS(account, request.ip)
  if (waitS > 0) {
    context.metrics.login('throttled')
    throw new ProblemError(429, 'too_many_logins', `Too many wrong passwords; try again in ${waitS} s.`, { retryAfterS: waitS })
  }
  // Counted before the slow check, so that tries sent all at once do not pass together.
  throttles.failed(account, request.ip)
  const user = await context.admin.users.find(account)
  const right = await context.passwords.verify(user?.active === true ? user.passwordHash : null, password)
  if (!user || !right) {
    context.metrics.login('wrong')
    throw new ProblemError(401, 'wrong_login', 'Name or password is wrong.')
  }
  throttles.succeeded(account, request.ip)
  context.metrics.login('ok')
  return user
}

async function changePassword(
  context: PanelContext,
  throttles: LoginThrottles,
  request: FastifyRequest,
  reply: FastifyReply,
  body: { readonly current: string; readonly new: string },
): Promise<FastifyReply> {
  const { admin, auth, passwords, settings, clock } = context
  const me = caller(request)
  if (me.via !== 'session') throw new ProblemError(409, 'no_session', 'A password is changed from a signed-in browser, not with an API key.')
  const user = await signIn(context, throttles, request, me.user, body.current)
  checkPassword(body.new, user.name)
  await admin.users.update(user.id, { passwordHash: await passwords.hash(body.new) })
  await admin.sessions.deleteOf(user.id)
  auth.revoke({ userId: user.id })
  const cookie = sessionCookie(settings.publicUrl)
  const secret = await openSession(admin, user, request.headers['user-agent'] ?? '', clock())
  return reply.setCookie(cookie.name, secret, cookie.options).code(204).send()
}

function isForm(request: FastifyRequest): boolean {
  return request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
}

/** A path of this site, or `/`: nothing that a browser could take for another host. */
function localPath(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(next) && !next.includes('\\') ? next : '/'
}
