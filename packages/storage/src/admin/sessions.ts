import type { Selectable } from 'kysely'
import type { AdminStore, Session } from '../port/admin.ts'
import type { AdminDatabase, AdminTables } from './schema.ts'

/** The signed-in browsers. Each new session also removes those that had ended before it, so the table stays small. */
export function createSessionTable(db: AdminDatabase): AdminStore['sessions'] {
  return {
    async create({ idHash, userId, createdAt, seenAt, expiresAt, agent }) {
      await db.deleteFrom('sessions').where('expires_at', '<', createdAt).execute()
      const row = { id_hash: idHash, user_id: userId, created_at: createdAt, seen_at: seenAt, expires_at: expiresAt, agent }
      await db.insertInto('sessions').values(row).execute()
    },
    async get(idHash) {
      const row = await db.selectFrom('sessions').selectAll().where('id_hash', '=', idHash).executeTakeFirst()
      return row && fromRow(row)
    },
    async touch(idHash, seenAt) {
      await db.updateTable('sessions').set({ seen_at: seenAt }).where('id_hash', '=', idHash).execute()
    },
    async delete(idHash) {
      await db.deleteFrom('sessions').where('id_hash', '=', idHash).execute()
    },
    async deleteOf(userId) {
      await db.deleteFrom('sessions').where('user_id', '=', userId).execute()
    },
    async list(userId) {
      const rows = await db.selectFrom('sessions').selectAll().where('user_id', '=', userId).orderBy('created_at', 'desc').orderBy('id_hash').execute()
      return rows.map(fromRow)
    },
  }
}

function fromRow(row: Selectable<AdminTables['sessions']>): Session {
  return { idHash: row.id_hash, userId: row.user_id, createdAt: row.created_at, seenAt: row.seen_at, expiresAt: row.expires_at, agent: row.agent }
}
