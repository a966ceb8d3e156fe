import type { Selectable } from 'kysely'
import type { AdminStore, ApiKey } from '../port/admin.ts'
import type { AdminDatabase, AdminTables } from './schema.ts'

/** The programs' keys. A null user in `list` and `delete` stands for everybody's. */
export function createKeyTable(db: AdminDatabase): AdminStore['keys'] {
  return {
    async create({ id, userId, name, prefix, hash, createdAt, usedAt }) {
      await db.insertInto('api_keys').values({ id, user_id: userId, name, prefix, hash, created_at: createdAt, used_at: usedAt }).execute()
    },
    async byHash(hash) {
      const row = await db.selectFrom('api_keys').selectAll().where('hash', '=', hash).executeTakeFirst()
      return row && fromRow(row)
    },
    async touch(id, usedAt) {
      await db.updateTable('api_keys').set({ used_at: usedAt }).where('id', '=', id).execute()
    },
    async list(userId) {
      const all = db.selectFrom('api_keys').selectAll().orderBy('created_at', 'desc').orderBy('id')
      const rows = await (userId === null ? all : all.where('user_id', '=', userId)).execute()
      return rows.map(fromRow)
    },
    async delete(id, userId) {
      const any = db.deleteFrom('api_keys').where('id', '=', id)
      const result = await (userId === null ? any : any.where('user_id', '=', userId)).executeTakeFirst()
      return result.numDeletedRows > 0n
    },
  }
}

function fromRow(row: Selectable<AdminTables['api_keys']>): ApiKey {
  const { id, name, prefix, hash } = row
  return { id, userId: row.user_id, name, prefix, hash, createdAt: row.created_at, usedAt: row.used_at }
}
