import type { SigningKeyStore } from '../port/sign-in.ts'
import type { AdminDatabase } from './schema.ts'

/** The keys that sign access tokens. */
export function createSigningKeyTable(db: AdminDatabase): SigningKeyStore {
  return {
    async list() {
      const rows = await db.selectFrom('signing_keys').selectAll().orderBy('signs_from').orderBy('kid').execute()
      return rows.map(({ kid, sealed, created_at, signs_from }) => ({ kid, sealed, createdAt: created_at, signsFrom: signs_from }))
    },
    async add({ kid, sealed, createdAt, signsFrom }) {
      await db
        .insertInto('signing_keys')
        .values({ kid, sealed, created_at: createdAt, signs_from: signsFrom })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async delete(kids) {
      if (kids.length > 0) await db.deleteFrom('signing_keys').where('kid', 'in', kids).execute()
    },
  }
}
