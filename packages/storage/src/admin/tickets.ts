import type { TicketStore } from '../port/sign-in.ts'
import type { AdminDatabase } from './schema.ts'

/** The tickets to sockets: whoever takes one away has redeemed it. */
export function createTicketTable(db: AdminDatabase): TicketStore {
  return {
    async create({ hash, userId, via, credential, expiresAt }, at) {
      await db.deleteFrom('tickets').where('expires_at', '<=', at).execute()
      await db.insertInto('tickets').values({ hash, user_id: userId, via, credential, expires_at: expiresAt }).execute()
    },
    async redeem(hash, at) {
      const row = await db.deleteFrom('tickets').where('hash', '=', hash).returningAll().executeTakeFirst()
      if (!row || row.expires_at <= at) return undefined
      return { hash: row.hash, userId: row.user_id, via: row.via, credential: row.credential, expiresAt: row.expires_at }
    },
  }
}
