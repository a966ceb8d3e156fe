import type { FastifyRequest } from 'fastify'
import { must } from '@koco/core'
import { z } from 'zod'
import { sessionCookie } from '../auth/sessions.ts'
import type { App, PanelContext, Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { tokenJson } from '../tokens/token-sign-in.ts'

const tags = ['account']
const TokenBody = z.discriminatedUnion('grant_type', [
  z.object({ grant_type: z.literal('password'), login: z.string().min(1).max(320), password: z.string().min(1).max(1024) }),
  z.object({ grant_type: z.literal('refresh_token'), refresh_token: z.string().min(1).max(8_192) }),
  z.object({ grant_type: z.literal('session') }).describe('for who is signed in by cookie or key already'),
])
const Tokens = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.number(), refresh_token: z.string(), refresh_expires_in: z.number() })
  .meta({ id: 'Tokens' })
const RevokeBody = z.object({ token: z.string().min(1).max(8_192), token_type_hint: z.string().max(100).optional() })
const Jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).meta({ id: 'Jwks', description: 'RFC 7517' })

/** Tokens for programs: given, refreshed, revoked; and the keys by which others check them. */
export const tokenRoutes: Routes = (app, context) => {
  app.post(
    '/api/auth/token',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Sign in a program: an access token for 15 minutes, a refresh token for 7 days',
        description: 'Each refresh token is good one time; one that is shown again ends the sign-in. JSON or a form.',
        body: TokenBody,
        ...answers({ 200: Tokens }, 401, 403, 413, 415, 422, 429),
      },
    },
    async (request, reply) => {
      void reply.header('cache-control', 'no-store')
      const { body } = request
      if (body.grant_type === 'refresh_token') return tokenJson(await context.tokens.refresh(body.refresh_token))
      const agent = request.headers['user-agent'] ?? ''
      const user = body.grant_type === 'password' ? await context.signIn(body.login, body.password, request.ip) : await signedInUser(context, request)
      request.actor = user.name
      return tokenJson(await context.tokens.begin(user, agent))
    },
  )
  for (const path of ['/api/auth/revoke', '/auth/revoke']) revokeRoute(app, context, path)
  keyRoutes(app, context)
}

function revokeRoute(app: App, context: PanelContext, path: string): void {
  app.post(
    path,
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'End the sign-in that a token belongs to (RFC 7009)',
        description: 'Of an access token or a refresh token. Also for what is no token the answer is 200.',
        body: RevokeBody,
        ...answers({ 200: z.object({ revoked: z.literal(true) }) }, 401, 403, 413, 415, 422),
      },
    },
    async (request) => {
      await context.tokens.revoke(request.body.token)
      return { revoked: true as const }
    },
  )
}

function keyRoutes(app: App, { signingKeys }: PanelContext): void {
  app.get(
    '/.well-known/jwks.json',
    { config: { access: 'public' }, schema: { tags, summary: 'The keys by which access tokens are checked', ...answers({ 200: Jwks }) } },
    async (_request, reply) => {
      void reply.header('cache-control', 'public, max-age=300')
      return signingKeys.published()
    },
  )
  app.post(
    '/api/auth/signing-keys/replace',
    {
      config: { access: 'users.manage' },
      schema: {
        tags,
        summary: 'Sign with a new key at once; all access tokens are refused, refresh tokens stay',
        description: 'For a key that may be known to a stranger. In time keys change by themselves.',
        ...answers({ 204: empty }, 401, 403),
      },
    },
    async (_request, reply) => {
      await signingKeys.replace()
      return reply.code(204).send()
    },
  )
}

async function signedInUser({ auth, admin, settings }: PanelContext, request: FastifyRequest) {
  const cookie = request.cookies[sessionCookie(settings.publicUrl).name]
  const principal = await auth.identify({ authorization: request.headers.authorization, cookie })
  if (!principal || principal.via === 'token') throw new ProblemError(401, 'not_signed_in', 'Sign in by cookie or key first, or send a password.')
  return must(await admin.users.get(principal.userId), 'the user of a principal')
}
