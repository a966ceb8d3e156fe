import type { AdminStore, User } from '@koco/storage'
import { newSecret, type SecretHash } from './secrets.ts'

/** A session ends after so long without a request, and after so long in any case. Seconds. */
export const SESSION_IDLE_S = 12 * 3600
const SESSION_ABSOLUTE_S = 7 * 24 * 3600

/** Opens a session; the secret goes into the cookie and is stored only as its hash. */
export async function openSession(admin: AdminStore, hash: SecretHash, user: User, agent: string, nowMs: number): Promise<string> {
  const secret = newSecret()
  const now = Math.floor(nowMs / 1000)
  await admin.sessions.create({
    idHash: hash(secret),
    userId: user.id,
    createdAt: now,
    seenAt: now,
    expiresAt: now + SESSION_ABSOLUTE_S,
    agent: agent.slice(0, 200),
  })
  return secret
}

/** The session cookie: name and attributes. On https the `__Host-` prefix ties it to this host and to https. */
export function sessionCookie(publicUrl: string): { readonly name: string; readonly options: CookieOptions } {
  const secure = publicUrl.startsWith('https:')
  return { name: secure ? '__Host-koco' : 'koco', options: { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: SESSION_ABSOLUTE_S } }
}

type CookieOptions = { readonly path: '/'; readonly httpOnly: true; readonly sameSite: 'lax'; readonly secure: boolean; readonly maxAge: number }
