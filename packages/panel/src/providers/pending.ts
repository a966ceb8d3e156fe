import { z } from 'zod'
import { newSecret } from '../auth/secrets.ts'
import type { Seal } from '../auth/seal.ts'
import { PROVIDER_IDS, type Attempt, type ProviderId } from './provider.ts'

/** A sign-in that is under way in one browser. `linkTo`: the account that it is for, instead of signing in. */
export type Pending = Omit<Attempt, 'redirectUri'> & { readonly provider: ProviderId; readonly next: string; readonly linkTo: string | null }

/** A person takes no longer than this at the provider. Seconds. */
const PENDING_S = 600

const Stored = z.object({
  provider: z.enum(PROVIDER_IDS),
  state: z.string(),
  verifier: z.string(),
  nonce: z.string(),
  next: z.string(),
  linkTo: z.string().nullable(),
  untilMs: z.number(),
})

/** A new one, with secrets of its own. */
export function newPending(about: Pick<Pending, 'provider' | 'next' | 'linkTo'>): Pending {
  return { ...about, state: newSecret(), verifier: newSecret(), nonce: newSecret() }
}

/** The text for the cookie of the browser that began it: no other one can end it. */
export function sealPending(seal: Seal, pending: Pending, nowMs: number): string {
  return seal.seal(JSON.stringify({ ...pending, untilMs: nowMs + PENDING_S * 1000 }))
}

/** What was sealed, while it is not over. */
export function openPending(seal: Seal, text: string | undefined, nowMs: number): Pending | undefined {
  const opened = text === undefined || text.length > 4_096 ? undefined : seal.open(text)
  const stored = opened === undefined ? undefined : Stored.parse(JSON.parse(opened))
  if (!stored || stored.untilMs <= nowMs) return undefined
  const { untilMs: _, ...pending } = stored
  return pending
}

/** The cookie of a sign-in under way. Lax: it comes along when the provider sends the person back. */
export function pendingCookie(publicUrl: string): { readonly name: string; readonly options: PendingCookieOptions } {
  const secure = publicUrl.startsWith('https:')
  return { name: secure ? '__Host-koco-sign-in' : 'koco-sign-in', options: { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: PENDING_S } }
}

type PendingCookieOptions = { readonly path: '/'; readonly httpOnly: true; readonly sameSite: 'lax'; readonly secure: boolean; readonly maxAge: number }
