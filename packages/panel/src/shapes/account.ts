import type * as api from '@koco/core/api'
import type { ApiKey, ListedFamily, Session, User } from '@koco/storage'
import { z } from 'zod'
import { shapeOf } from './shape-of.ts'

const role = z.enum(['viewer', 'user', 'operator'])

/** A name that is also a folder name. */
const userName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9, ".", "_", "-" and begin with a letter or digit')

/** Somebody who signs in. */
export const UserShape = shapeOf<api.User>()(
  z
    .object({ id: z.string(), name: z.string(), email: z.string(), role, active: z.boolean(), created_at: z.number(), last_login_at: z.number().nullable() })
    .meta({ id: 'User' }),
)

/** A new user. Without a password one is made and shown once. */
export const NewUser = z.object({ name: userName, email: z.email(), role: role.default('user'), password: z.string().max(256).optional() })

/** What may change of a user. */
export const UserChange = z.object({ email: z.email(), role, active: z.boolean(), password: z.string().max(256) }).partial()

/** An API key; its secret was shown when it was made. */
export const Key = shapeOf<api.ApiKey>()(
  z
    .object({ id: z.string(), name: z.string(), prefix: z.string(), user: z.string().nullable(), created_at: z.number(), used_at: z.number().nullable() })
    .meta({ id: 'Key' }),
)

/** A signed-in browser. */
export const SessionShape = shapeOf<api.BrowserSession>()(
  z
    .object({ id: z.string(), agent: z.string(), created_at: z.number(), seen_at: z.number(), expires_at: z.number(), current: z.boolean() })
    .meta({ id: 'Session' }),
)

/** A program that is signed in by tokens. */
export const SignIn = shapeOf<api.SignIn>()(
  z
    .object({
      id: z.string(),
      agent: z.string(),
      created_at: z.number(),
      used_at: z.number().describe('when it last got tokens; an access token lives for 15 minutes'),
      expires_at: z.number(),
      current: z.boolean(),
    })
    .meta({ id: 'SignIn' }),
)

/** Who the caller is, and what the page must know of this panel. */
export const Me = shapeOf<api.Me>()(
  z
    .object({
      user: z.object({ id: z.string(), name: z.string(), email: z.string(), role }),
      via: z.enum(['session', 'key', 'token', 'off']),
      auth: z.enum(['on', 'off']).describe('`off`: everybody is the operator; the page says so'),
      version: z.string(),
    })
    .meta({ id: 'Me' }),
)

/** The JSON of a user, without anything of the password. */
export function userJson(user: User): z.infer<typeof UserShape> {
  return { id: user.id, name: user.name, email: user.email, role: user.role, active: user.active, created_at: user.createdAt, last_login_at: user.lastLoginAt }
}

/** The JSON of a key with its owner's name. */
export function keyJson(key: ApiKey, user: string | null): z.infer<typeof Key> {
  return { id: key.id, name: key.name, prefix: key.prefix, user, created_at: key.createdAt, used_at: key.usedAt }
}

/** The JSON of a session. Its id is a piece of the hash: enough to name it, of no use to sign in. */
export function sessionJson(session: Session, current: string): z.infer<typeof SessionShape> {
  return {
    id: session.idHash.slice(0, 16),
    agent: session.agent,
    created_at: session.createdAt,
    seen_at: session.seenAt,
    expires_at: session.expiresAt,
    current: session.idHash === current,
  }
}

/** The JSON of a program's sign-in. Its id names it and signs nobody in. */
export function signInJson({ id, agent, createdAt, usedAt, expiresAt }: ListedFamily, current: string): z.infer<typeof SignIn> {
  return { id, agent, created_at: createdAt, used_at: usedAt, expires_at: expiresAt, current: id === current }
}
