import type { AdminStore, User } from '@koco/storage'
import type { Authenticator } from '../auth/authenticator.ts'
import { newId, newSecret, type SecretHash } from '../auth/secrets.ts'
import { ProblemError } from '../server/problems.ts'
import { ACCESS_S, type AccessTokens } from './access-tokens.ts'

/** A refresh token is good for so long, one time. */
const REFRESH_S = 7 * 86_400

/** What a program is given at sign-in and at each refresh. */
export type TokenPair = { readonly accessToken: string; readonly refreshToken: string }

/** The sign-ins of programs by tokens. */
export type TokenSignIn = {
  begin(user: User, agent: string): Promise<TokenPair>
  /** Problem 401 `bad_refresh_token` for one that is unknown or over, 401 `refresh_token_reused` for one that was used before: then the whole sign-in is revoked, since somebody has stolen it. */
  refresh(refreshToken: string): Promise<TokenPair>
  /** Ends the sign-in that a token of either kind belongs to; nothing for what is no token. */
  revoke(token: string): Promise<void>
}

/** What it stands on. */
export type TokenSignInDeps = {
  readonly admin: AdminStore
  readonly hash: SecretHash
  readonly accessTokens: AccessTokens
  readonly auth: Pick<Authenticator, 'revoke'>
  readonly clock: () => number
}

const FORM = /^kocor_[0-9a-f]{64}$/

/** Token sign-in over the admin store. */
export function createTokenSignIn({ admin, hash, accessTokens, auth, clock }: TokenSignInDeps): TokenSignIn {
  async function revokeFamily(id: string): Promise<void> {
    await admin.tokens.revoke(id)
    auth.revoke({ credential: id })
  }

  return {
    async begin(user, agent) {
      const refreshToken = newRefreshToken()
      const at = Math.floor(clock() / 1000)
      const family = { id: newId(), userId: user.id, createdAt: at, expiresAt: at + REFRESH_S, agent: agent.slice(0, 200) }
      await admin.tokens.create(family, hash(refreshToken))
      return { accessToken: await accessTokens.issue(user, family.id), refreshToken }
    },
    async refresh(shown) {
      if (!FORM.test(shown)) throw badToken()
      const refreshToken = newRefreshToken()
      const at = Math.floor(clock() / 1000)
      const rotated = await admin.tokens.rotate(hash(shown), { hash: hash(refreshToken), at, expiresAt: at + REFRESH_S })
      if (rotated.outcome === 'unknown') throw badToken()
      if (rotated.outcome === 'reused') {
        auth.revoke({ credential: rotated.family.id })
        throw new ProblemError(401, 'refresh_token_reused', 'This refresh token was used before; the sign-in it belongs to has been ended. Sign in again.')
      }
      const user = await admin.users.get(rotated.family.userId)
      if (user?.active !== true) {
        await revokeFamily(rotated.family.id)
        throw badToken()
      }
      return { accessToken: await accessTokens.issue(user, rotated.family.id), refreshToken }
    },
    async revoke(token) {
      const id = FORM.test(token) ? (await admin.tokens.familyOf(hash(token)))?.id : (await accessTokens.verify(token))?.family
      if (id !== undefined) await revokeFamily(id)
    },
  }
}

/** A pair as programs get it (RFC 6749). */
export function tokenJson({ accessToken, refreshToken }: TokenPair) {
  return {
    access_token: accessToken,
    token_type: 'Bearer' as const,
    expires_in: ACCESS_S,
    refresh_token: refreshToken,
    refresh_expires_in: REFRESH_S,
  }
}

function newRefreshToken(): string {
  return `kocor_${newSecret()}`
}

function badToken(): ProblemError {
  return new ProblemError(401, 'bad_refresh_token', 'This refresh token is unknown or has ended; sign in again.')
}
