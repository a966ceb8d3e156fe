import type { AdminStore } from '@koco/storage'
import { assert } from '@koco/core'
import { ADMIN_NAME } from '../auth/ensure-admin.ts'
import { can, type Principal } from '../auth/permissions.ts'
import { sessionCookie } from '../auth/sessions.ts'
import type { App, PanelContext } from '../context.ts'
import { allowOrigins, isLoopbackName, originsOf, refuseCrossSite } from './cross-site.ts'
import { ProblemError } from './problems.ts'

/** Puts the one gate before every route: origin, who is asking, may they. A route of the API that does not say its access stops the start. */
export function guardRoutes(app: App, context: PanelContext): void {
  const { auth, settings } = context
  const origins = originsOf(settings)
  const cookieName = sessionCookie(settings.publicUrl).name
  const operator = createOffOperator(context.admin)

  app.addHook('onRoute', (route) => {
    assert(!route.url.startsWith('/api') || route.config?.access !== undefined, `route ${String(route.method)} ${route.url} does not say its access`)
  })
  app.decorateRequest('principal', null)

  app.addHook('onRequest', async (request, reply) => (allowOrigins(request, reply, origins) ? reply : undefined))
  app.addHook('onRequest', async (request) => {
    if (settings.auth === 'off' && !isLoopbackName(request.headers.host)) {
      throw new ProblemError(403, 'wrong_host', `Without sign-in this panel answers only to loopback names, not to "${String(request.headers.host)}".`)
    }
    const access = request.routeOptions.config.access ?? 'public'
    if (access === 'public') {
      if (request.method === 'POST') refuseCrossSite(request, origins)
      return
    }
    const cookie = request.cookies[cookieName]
    const principal = settings.auth === 'off' ? await operator() : await auth.identify({ authorization: request.headers.authorization, cookie })
    if (!principal) throw new ProblemError(401, 'not_signed_in', 'Sign in, or send an API key: `Authorization: Bearer koco_…`.')
    // Known from here on, so that the audit log has who was refused.
    request.principal = principal
    // A browser sends keys and tokens only when a page's own script says so.
    if (principal.via === 'session' || principal.via === 'off') refuseCrossSite(request, origins)
    if (!can(principal, access)) throw new ProblemError(403, 'not_allowed', `The role ${principal.role} may not do this (${access}).`)
  })
}

/** Who everybody is while sign-in is off: the operator `admin`, by the id of the stored one when there is one. */
export function createOffOperator(admin: AdminStore): () => Promise<Principal> {
  let known: Principal | undefined
  return async () => {
    if (known) return known
    const user = await admin.users.find(ADMIN_NAME)
    known = { userId: user?.id ?? ADMIN_NAME, user: ADMIN_NAME, email: user?.email ?? '', role: 'operator', via: 'off', credential: '' }
    return known
  }
}
