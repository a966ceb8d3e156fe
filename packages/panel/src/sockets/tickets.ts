import type { AdminStore } from '@koco/storage'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Principal } from '../auth/permissions.ts'
import { newSecret, type SecretHash } from '../auth/secrets.ts'

/** A ticket is good for so long, one time. */
export const TICKET_S = 30

/** One-time passes to the socket for browsers, whose sockets can carry no header: an address with one in it is of no use to who finds it in a log. */
export type Tickets = {
  issue(principal: Principal): Promise<string>
  /** Who it was given to, while what they had signed in by still stands; to one caller, in one panel. */
  redeem(ticket: string): Promise<Principal | undefined>
}

const FORM = /^kocot_[0-9a-f]{64}$/

/** Tickets over the admin store. */
export function createTickets(admin: AdminStore, auth: Authenticator, hash: SecretHash, clock: () => number): Tickets {
  return {
    async issue({ userId, via, credential }) {
      const ticket = `kocot_${newSecret()}`
      const at = clock() / 1000
      // Without sign-in nobody is asked for one.
      if (via !== 'off') await admin.tickets.create({ hash: hash(ticket), userId, via, credential, expiresAt: at + TICKET_S }, at)
      return ticket
    },
    async redeem(ticket) {
      const found = FORM.test(ticket) ? await admin.tickets.redeem(hash(ticket), clock() / 1000) : undefined
      if (!found) return undefined
      const principal = await auth.recheck({
        userId: found.userId,
        via: found.via as Principal['via'],
        credential: found.credential,
        user: '',
        email: '',
        role: 'viewer',
      })
      return principal?.userId === found.userId ? principal : undefined
    },
  }
}
