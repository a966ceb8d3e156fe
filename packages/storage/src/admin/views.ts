import { sql, type Selectable } from 'kysely'
import type { ListedView, ViewStore } from '../port/views.ts'
import type { AdminDatabase, AdminTables } from './schema.ts'

/** The views that people keep. */
export function createViewTable(db: AdminDatabase): ViewStore {
  return {
    async list(userId) {
      const rows = await db
        .selectFrom('saved_views')
        .innerJoin('users', 'users.id', 'saved_views.user_id')
        .selectAll('saved_views')
        .select('users.name as user')
        .where((by) => by.or([by('saved_views.user_id', '=', userId), by('saved_views.shared', '=', 1)]))
        .execute()
      // Sorted here: the databases order text each in its own way.
      return rows.map(fromRow).toSorted((a, b) => a.name.localeCompare(b.name) || (a.user < b.user ? -1 : 1))
    },
    async put({ id, userId, name, search, shared, savedAt }) {
      const row = { id, user_id: userId, name, search: JSON.stringify(search), shared: shared ? 1 : 0, saved_at: savedAt }
      const kept = await db
        .insertInto('saved_views')
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(['user_id', 'name'])
            .doUpdateSet({ search: sql.ref('excluded.search'), shared: sql.ref('excluded.shared'), saved_at: sql.ref('excluded.saved_at') }),
        )
        .returning('id')
        .executeTakeFirstOrThrow()
      return kept.id
    },
    async delete(id, userId) {
      const one = db.deleteFrom('saved_views').where('id', '=', id)
      const result = await (userId === null ? one.where('shared', '=', 1) : one.where('user_id', '=', userId)).executeTakeFirst()
      return result.numDeletedRows > 0n
    },
  }
}

function fromRow(row: Selectable<AdminTables['saved_views']> & { readonly user: string }): ListedView {
  const { id, user, name, shared } = row
  return { id, userId: row.user_id, user, name, search: JSON.parse(row.search) as Record<string, string>, shared: shared === 1, savedAt: row.saved_at }
}
