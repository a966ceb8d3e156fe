import type { Selectable } from 'kysely'
import type { TokenFamily, TokenStore } from '../port/sign-in.ts'
import type { AdminDatabase, AdminTables } from './schema.ts'

/** The sign-ins of programs. A family that is revoked is taken away with its tokens: what is not there is not valid. */
export function createTokenTable(db: AdminDatabase): TokenStore {
  const families = (): ReturnType<typeof selectFamilies> => selectFamilies(db)
  return {
    async create(family, refreshHash) {
      await db.transaction().execute(async (at) => {
        await at.deleteFrom('token_families').where('expires_at', '<', family.createdAt).execute()
        await at.insertInto('token_families').values(toRow(family)).execute()
        await at.insertInto('refresh_tokens').values({ hash: refreshHash, family_id: family.id, created_at: family.createdAt, used_at: null }).execute()
      })
    },
    async get(id, at) {
      const row = await families().where('id', '=', id).where('expires_at', '>', at).executeTakeFirst()
      return row && fromRow(row)
    },
    async rotate(refreshHash, { hash, at, expiresAt }) {
      return db.transaction().execute(async (within) => {
        // Writes nothing new: it takes the lock of the family before any of its tokens, as whoever revokes it does. The other way round, several that show one token at once
        // wait for each other in a circle.
        const row = await within
          .updateTable('token_families')
          .set((of) => ({ expires_at: of.ref('expires_at') }))
          .where('id', 'in', (from) => from.selectFrom('refresh_tokens').select('family_id').where('hash', '=', refreshHash))
          .returningAll()
          .executeTakeFirst()
        if (!row || row.expires_at <= at) return { outcome: 'unknown' }
        const taken = await within
          .updateTable('refresh_tokens')
          .set({ used_at: at })
          .where('hash', '=', refreshHash)
          .where('used_at', 'is', null)
          .executeTakeFirst()
        if (taken.numUpdatedRows === 0n) {
          await within.deleteFrom('token_families').where('id', '=', row.id).execute()
          return { outcome: 'reused', family: fromRow(row) }
        }
        // What is older than a refresh token lives is of no use to anybody.
        await within
          .deleteFrom('refresh_tokens')
          .where('family_id', '=', row.id)
          .where('created_at', '<', 2 * at - expiresAt)
          .execute()
        await within.updateTable('token_families').set({ expires_at: expiresAt }).where('id', '=', row.id).execute()
        await within.insertInto('refresh_tokens').values({ hash, family_id: row.id, created_at: at, used_at: null }).execute()
        return { outcome: 'rotated', family: { ...fromRow(row), expiresAt } }
      })
    },
    async familyOf(refreshHash) {
      const row = await families()
        .where('id', 'in', (from) => from.selectFrom('refresh_tokens').select('family_id').where('hash', '=', refreshHash))
        .executeTakeFirst()
      return row && fromRow(row)
    },
    async revoke(id) {
      const result = await db.deleteFrom('token_families').where('id', '=', id).executeTakeFirst()
      return result.numDeletedRows > 0n
    },
    async revokeOf(userId) {
      await db.deleteFrom('token_families').where('user_id', '=', userId).execute()
    },
    async list(userId) {
      const used = db
        .selectFrom('refresh_tokens')
        .select(['family_id', ({ fn }) => fn.max('created_at').as('last')])
        .groupBy('family_id')
      const rows = await families().leftJoin(used.as('used'), 'used.family_id', 'token_families.id').select('used.last').where('user_id', '=', userId).execute()
      return rows.map((row) => ({ ...fromRow(row), usedAt: row.last ?? row.created_at })).toSorted((a, b) => b.usedAt - a.usedAt || (a.id < b.id ? -1 : 1))
    },
  }
}

function selectFamilies(db: AdminDatabase) {
  return db.selectFrom('token_families').selectAll()
}

function toRow({ id, userId, createdAt, expiresAt, agent }: TokenFamily): AdminTables['token_families'] {
  return { id, user_id: userId, created_at: createdAt, expires_at: expiresAt, agent }
}

function fromRow(row: Selectable<AdminTables['token_families']>): TokenFamily {
  return { id: row.id, userId: row.user_id, createdAt: row.created_at, expiresAt: row.expires_at, agent: row.agent }
}
