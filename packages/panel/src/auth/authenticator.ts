import type { AdminStore, User } from '@koco/storage'
import { apiKeyHash } from './api-keys.ts'
import type { AccessTokens } from '../tokens/access-tokens.ts'
import type { Principal } from './permissions.ts'
import type { SecretHash } from './secrets.ts'
import { SESSION_IDLE_S } from './sessions.ts'

/** What a request says about who sends it. */
export type Credentials = { readonly authorization: string | undefined; readonly cookie: string | undefined }

/** Tells who is asking. Answers are kept for seconds, since every request needs one; a revocation counts at once, here and in every other panel that can be told. */
export type Authenticator = {
  /** The person behind a request, or undefined. A Bearer key or access token goes before a cookie. */
  identify(credentials: Credentials): Promise<Principal | undefined>
  /** Asks the store whether this credential still stands, past the memory. */
  recheck(principal: Principal): Promise<Principal | undefined>
  /** Forgets what is known of a credential or of a user, and tells the listeners, whose streams close, and the other panels. */
  revoke(what: Revoked): void
  /** The same for what another panel has revoked. */
  heard(what: Revoked): void
  onRevoked(listener: (what: Revoked) => void): () => void
}

/** One credential, or everything of a user. */
export type Revoked = { readonly credential: string } | { readonly userId: string }

const REMEMBERED_MAX = 10_000
const TOUCH_S = 60

/** `ttlMs`: how long an answer is kept. `tell` passes a revocation on to the other panels. */
export type AuthenticatorDeps = {
  readonly admin: AdminStore
  readonly hash: SecretHash
  readonly accessTokens: AccessTokens
  readonly clock: () => number
  readonly ttlMs: number
  readonly tell: (what: Revoked) => void
}

/** An authenticator over the admin store. */
export function createAuthenticator({ admin, hash, accessTokens, clock, ttlMs, tell }: AuthenticatorDeps): Authenticator {
  const known = new Map<string, { readonly principal: Principal; readonly untilMs: number }>()
  const listeners = new Set<(what: Revoked) => void>()

  async function lookUp(via: Via, credential: string): Promise<Principal | undefined> {
    const userId = await OWNERS[via](admin, credential, clock())
    const user = userId === undefined ? undefined : await admin.users.get(userId)
    return user?.active === true ? principalOf(user, via, credential) : undefined
  }

  async function remembered(via: Via, credential: string): Promise<Principal | undefined> {
    const entry = known.get(credential)
    if (entry && entry.untilMs > clock()) return entry.principal
    known.delete(credential)
    const principal = await lookUp(via, credential)
    if (principal) remember(known, credential, { principal, untilMs: clock() + ttlMs })
    return principal
  }

  async function byAccessToken(text: string): Promise<Principal | undefined> {
    const token = await accessTokens.verify(text)
    const principal = token && (await remembered('token', token.family))
    return principal?.userId === token?.userId ? principal : undefined
  }

  function strike(what: Revoked): void {
    for (const [credential, { principal }] of known) if (isOf(principal, what)) known.delete(credential)
    for (const listener of listeners) listener(what)
  }

  return {
    async identify({ authorization, cookie }) {
      if (authorization !== undefined) {
        const text = authorization.replace(/^Bearer +/i, '')
        const key = apiKeyHash(hash, text)
        return key === undefined ? byAccessToken(text) : remembered('key', key)
      }
      return cookie === undefined || cookie.length > 200 ? undefined : remembered('session', hash(cookie))
    },
    async recheck(principal) {
      if (principal.via === 'off') return principal
      known.delete(principal.credential)
      return remembered(principal.via, principal.credential)
    },
    revoke(what) {
      strike(what)
      tell(what)
    },
    heard: strike,
    onRevoked(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** True when a revocation strikes this principal. */
export function isOf(principal: Principal, what: Revoked): boolean {
  return 'credential' in what ? principal.credential === what.credential : principal.userId === what.userId
}

/** How somebody signed in who is in the store. */
type Via = Exclude<Principal['via'], 'off'>

/** Who a credential belongs to, while it stands. */
const OWNERS: Readonly<Record<Via, (admin: AdminStore, credential: string, nowMs: number) => Promise<string | undefined>>> = {
  session: sessionOwner,
  key: keyOwner,
  token: async (admin, family, nowMs) => (await admin.tokens.get(family, nowMs / 1000))?.userId,
}

async function sessionOwner(admin: AdminStore, idHash: string, nowMs: number): Promise<string | undefined> {
  const session = await admin.sessions.get(idHash)
  if (!session) return undefined
  const now = Math.floor(nowMs / 1000)
  if (now >= session.expiresAt || now >= session.seenAt + SESSION_IDLE_S) {
    await admin.sessions.delete(idHash)
    return undefined
  }
  if (now - session.seenAt >= TOUCH_S) await admin.sessions.touch(idHash, now)
  return session.userId
}

async function keyOwner(admin: AdminStore, hash: string, nowMs: number): Promise<string | undefined> {
  const key = await admin.keys.byHash(hash)
  if (!key) return undefined
  const now = Math.floor(nowMs / 1000)
  if (now - (key.usedAt ?? 0) >= TOUCH_S) await admin.keys.touch(key.id, now)
  return key.userId
}

function principalOf(user: User, via: Via, credential: string): Principal {
  return { userId: user.id, user: user.name, email: user.email, role: user.role, via, credential }
}

function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.set(key, value)
  if (map.size <= REMEMBERED_MAX) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}
