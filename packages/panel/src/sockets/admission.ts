import { UnavailableError } from '@koco/core'
import type { IncomingMessage } from 'node:http'
import type { Principal } from '../auth/permissions.ts'
import { can } from '../auth/permissions.ts'
import type { PanelContext } from '../context.ts'
import { createOffOperator } from '../server/access.ts'
import { isLoopbackName, isOwnOrigin, originsOf } from '../server/cross-site.ts'
import { ProblemError } from '../server/problems.ts'
import type { HeldLeases } from './held-leases.ts'
import type { Tickets } from './tickets.ts'

/** Who may open a socket. */
export type Admission = {
  /**
   * The checks before the upgrade, in this order: problem 403 `wrong_origin`, 401 `not_signed_in`, 503 while a store is away, 429 `too_many_connections`. Null for who connects with `?auth=first`: they say it in
   * their first message.
   */
  admit(request: IncomingMessage, connection: string): Promise<Principal | null>
  /** The same for the token of an `auth` message. */
  admitToken(token: string, connection: string): Promise<Principal>
}

/** What it asks. */
export type AdmissionDeps = {
  readonly context: PanelContext
  readonly tickets: Tickets
  readonly leases: HeldLeases
}

/** Admission by origin, token, stores and count. */
export function createAdmission({ context, tickets, leases }: AdmissionDeps): Admission {
  const { settings, auth } = context
  const origins = originsOf(settings)
  const operator = createOffOperator(context.admin)

  function checkOrigin({ headers: { origin, host } }: IncomingMessage): void {
    if (settings.auth === 'off' && !isLoopbackName(host))
      throw new ProblemError(403, 'wrong_host', 'Without sign-in this panel answers only to loopback names.')
    if (origin === undefined || origins.others.has(origin) || isOwnOrigin(origin, host, origins)) return
    throw new ProblemError(403, 'wrong_origin', `Pages of ${origin.slice(0, 200)} may not connect here; KODO_CORS_ORIGINS names those that may.`)
  }

  async function principalOf(token: string): Promise<Principal> {
    const principal = token.startsWith('kocot_') ? await tickets.redeem(token) : await auth.identify({ authorization: `Bearer ${token}`, cookie: undefined })
    if (principal && can(principal, 'sessions.read')) return principal
    throw new ProblemError(401, 'not_signed_in', 'Send a valid token: `Authorization: Bearer …`, or a ticket of POST /api/auth/ticket.')
  }

  async function checkStores(): Promise<void> {
    const { ready: isReady, checks } = await context.ready()
    if (isReady) return
    const away = Object.keys(checks).filter((name) => checks[name] !== 'ok')
    throw new UnavailableError(`Connect again in a moment: ${away.join(', ')} cannot be used now.`, { code: 'not_ready' })
  }

  async function count(principal: Principal, connection: string): Promise<Principal> {
    if (await leases.take(principal.user, connection)) return principal
    throw new ProblemError(
      429,
      'too_many_connections',
      `You have ${settings.socketsPerUserMax} connections open, which is the limit (KODO_WS_CONNECTIONS_MAX).`,
      {
        retryAfterS: 5,
      },
    )
  }

  return {
    async admit(request, connection) {
      checkOrigin(request)
      const query = new URL(request.url ?? '/', 'http://localhost').searchParams
      const { authorization } = request.headers
      const ticket = query.get('ticket')
      if (settings.auth === 'on' && authorization === undefined && ticket === null && query.get('auth') === 'first') {
        await checkStores()
        return null
      }
      const token = ticket ?? authorization?.replace(/^Bearer +/i, '') ?? ''
      const principal = settings.auth === 'off' ? await operator() : await principalOf(token)
      await checkStores()
      return count(principal, connection)
    },
    async admitToken(token, connection) {
      const principal = await principalOf(token)
      await checkStores()
      return count(principal, connection)
    },
  }
}
