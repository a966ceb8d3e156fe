import type * as api from '@koco/core/api'
import { KocoError } from '@koco/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { localPath } from '../auth/local-path.ts'
import { createSeal } from '../auth/seal.ts'
import { openSession, sessionCookie } from '../auth/sessions.ts'
import type { PanelContext, Routes } from '../context.ts'
import { connect, userOf } from '../providers/accounts.ts'
import { newPending, openPending, pendingCookie, sealPending, type Pending } from '../providers/pending.ts'
import { PROVIDER_IDS, signInFailed, type Attempt, type Provider, type ProviderId } from '../providers/provider.ts'
import { answers, empty } from '../server/describe.ts'
import { problemOf, ProblemError } from '../server/problems.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const tags = ['account']
const params = z.object({ provider: z.enum(PROVIDER_IDS) })
const Listed = shapeOf<api.Providers>()(
  z.object({
    password: z.literal(true),
    providers: z.array(
      z.object({ id: z.enum(PROVIDER_IDS), name: z.string(), start: z.string().describe('the address that begins the sign-in, in the browser') }),
    ),
  }),
)

/** Sign-in with GitHub or an OpenID provider. */
export const providerRoutes: Routes = (app, context) => {
  const { providers, settings } = context
  const flow = createFlow(context)

  app.get(
    '/api/auth/providers',
    { config: { access: 'public' }, schema: { tags, summary: 'How people may sign in here', ...answers({ 200: Listed }, 401) } },
    async () => ({ password: true as const, providers: providers.map(({ id, name }) => ({ id, name, start: `/api/auth/sign-in/${id}` })) }),
  )
  app.get(
    '/api/auth/sign-in/:provider',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Begin to sign in there: goes to the provider',
        params,
        querystring: z.object({
          next: z.string().max(2_000).optional().describe('where to go afterwards; a path of this site'),
          connect: z.literal('1').optional().describe('for who is signed in: make that account one of theirs'),
        }),
        ...answers({ 302: empty }, 401, 404),
      },
    },
    async (request, reply) => flow.begin(request, reply, request.params.provider, request.query),
  )
  app.get(
    '/api/auth/sign-in/:provider/callback',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Where the provider sends people back to',
        description: 'With a session cookie to `next` (303). A browser is told what is wrong on the sign-in page.',
        params,
        querystring: z.record(z.string(), z.unknown()),
        ...answers({ 303: empty }, 401, 403, 404, 409),
      },
    },
    async (request, reply) => {
      void reply.clearCookie(pendingCookie(settings.publicUrl).name, { path: '/' })
      try {
        return await flow.finish(request, reply, request.params.provider)
      } catch (error) {
        if (!(error instanceof KocoError) || !accepts(request, 'text/html')) throw error
        context.log.info({ err: error, reqId: request.id }, 'a sign-in with a provider failed')
        return reply.redirect(`/login?problem=${problemOf(error, request.id).code}`, 303)
      }
    },
  )
}

function createFlow(context: PanelContext) {
  const { providers, settings, hashSecret, admin, clock, auth } = context
  const seal = createSeal(hashSecret, 'sign-in under way')
  const cookie = pendingCookie(settings.publicUrl)
  const session = sessionCookie(settings.publicUrl)

  const providerOf = (id: ProviderId): Provider => {
    const provider = providers.find((one) => one.id === id)
    if (!provider) throw new ProblemError(404, 'unknown_provider', `Sign-in with "${id}" is not set up here.`)
    return provider
  }
  const attemptOf = (id: ProviderId, pending: Pending): Attempt => ({
    ...pending,
    redirectUri: new URL(`/api/auth/sign-in/${id}/callback`, settings.publicUrl).href,
  })
  const signedIn = async (request: FastifyRequest): Promise<string | undefined> =>
    (await auth.identify({ authorization: undefined, cookie: request.cookies[session.name] }))?.userId

  return {
    async begin(
      request: FastifyRequest,
      reply: FastifyReply,
      id: ProviderId,
      query: { readonly next?: string | undefined; readonly connect?: '1' | undefined },
    ) {
      const provider = providerOf(id)
      const linkTo = query.connect === undefined ? null : await signedIn(request)
      if (linkTo === undefined) throw new ProblemError(401, 'not_signed_in', 'Sign in first, then connect the other account.')
      const pending = newPending({ provider: id, next: localPath(query.next), linkTo })
      const address = await provider.begin(attemptOf(id, pending))
      return reply.setCookie(cookie.name, sealPending(seal, pending, clock()), cookie.options).redirect(address.href, 302)
    },
    async finish(request: FastifyRequest, reply: FastifyReply, id: ProviderId) {
      const provider = providerOf(id)
      const pending = openPending(seal, request.cookies[cookie.name], clock())
      if (pending?.provider !== id) throw signInFailed(provider.name, 'this browser did not begin it, or it took too long')
      const vouched = await provider.finish(attemptOf(id, pending), new URL(request.url, settings.publicUrl).searchParams)
      const deps = { admin, clock, signUp: settings.signUp }
      if (pending.linkTo !== null) {
        if ((await signedIn(request)) !== pending.linkTo) throw signInFailed(provider.name, 'you are no longer signed in here')
        await connect(vouched, pending.linkTo, deps)
        return reply.redirect(pending.next, 303)
      }
      const user = await userOf(vouched, deps)
      request.actor = user.name
      context.metrics.login('ok')
      const secret = await openSession(admin, hashSecret, user, request.headers['user-agent'] ?? '', clock())
      return reply.setCookie(session.name, secret, session.options).redirect(pending.next, 303)
    },
  }
}

function accepts(request: FastifyRequest, type: string): boolean {
  return request.headers.accept?.includes(type) === true
}
