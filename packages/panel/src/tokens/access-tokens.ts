import type { User } from '@koco/storage'
import { errors, jwtVerify, SignJWT } from 'jose'
import { newId } from '../auth/secrets.ts'
import type { SigningKeys } from './signing-keys.ts'

/** An access token is good for so long. */
export const ACCESS_S = 15 * 60
/** Whom access tokens are for. */
const AUDIENCE = 'koco'

/** Short-lived tokens that say who somebody is: JWTs signed by RS256, for this panel and for others who read its published keys. */
export type AccessTokens = {
  /** A token of a user, of one sign-in. */
  issue(user: User, family: string): Promise<string>
  /** Whose token this is and of which sign-in; undefined for everything that this installation did not sign, has ended, or says nothing. */
  verify(text: string): Promise<{ readonly userId: string; readonly family: string } | undefined>
}

const LENGTH_MAX = 4_096
const TYPE = 'at+jwt'

/** `issuer`: where people reach the panel. */
export function createAccessTokens(keys: SigningKeys, issuer: string, clock: () => number): AccessTokens {
  return {
    async issue(user, family) {
      const { kid, key } = await keys.current()
      const nowS = Math.floor(clock() / 1000)
      return new SignJWT({ sid: family, name: user.name, role: user.role })
        .setProtectedHeader({ alg: 'RS256', typ: TYPE, kid })
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(user.id)
        .setJti(newId())
        .setIssuedAt(nowS)
        .setExpirationTime(nowS + ACCESS_S)
        .sign(key)
    },
    async verify(text) {
      if (text.length > LENGTH_MAX) return undefined
      try {
        const { payload } = await jwtVerify(text, async ({ kid }) => (await keyOf(keys, kid)) ?? refuse(), {
          // Fixed: what a token says of its own algorithm counts for nothing.
          algorithms: ['RS256'],
          issuer,
          audience: AUDIENCE,
          typ: TYPE,
          requiredClaims: ['sub', 'sid', 'jti', 'iat', 'exp'],
          currentDate: new Date(clock()),
        })
        const { sub, sid, jti } = payload
        return isText(sub) && isText(sid) && isText(jti) ? { userId: sub, family: sid } : undefined
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    },
  }
}

function keyOf(keys: SigningKeys, kid: string | undefined): ReturnType<SigningKeys['find']> | undefined {
  return kid === undefined ? undefined : keys.find(kid)
}

function refuse(): never {
  throw new errors.JWKSNoMatchingKey()
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}
