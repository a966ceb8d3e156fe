import { RefusedError } from '@koco/core'
import { sql, type Selectable } from 'kysely'
import type { Identity, IdentityStore } from '../port/sign-in.ts'
import type { AdminDatabase, AdminTables } from './schema.ts'
import { isTaken, insertUser } from './users.ts'

/** The accounts at other providers. One at a provider belongs to one user, and a user has one at each. */
export function createIdentityTable(db: AdminDatabase): IdentityStore {
  return {
    async get(issuer, subject) {
      const row = await db.selectFrom('identities').selectAll().where('issuer', '=', issuer).where('subject', '=', subject).executeTakeFirst()
      return row && fromRow(row)
    },
    async create(identity, user) {
      await db.transaction().execute(async (at) => {
        if (user) await insertUser(at, user)
        try {
          await at.insertInto('identities').values(toRow(identity)).execute()
        } catch (error) {
          if (!isTaken(error)) throw error
          throw new RefusedError(`The account "${identity.login}" at ${identity.issuer} already exists here, or its user has another one there.`, {
            code: 'identity_exists',
            cause: error,
          })
        }
      })
    },
    async seen({ issuer, subject, login, email }, at) {
      await db
        .updateTable('identities')
        .set({ login, email, last_login_at: sql<number>`case when last_login_at < ${at} then ${at} else last_login_at end` })
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .execute()
    },
    async list(userId) {
      const rows = await db.selectFrom('identities').selectAll().where('user_id', '=', userId).orderBy('issuer').execute()
      return rows.map(fromRow)
    },
  }
}

function toRow({ issuer, subject, userId, login, email, createdAt, lastLoginAt }: Identity): AdminTables['identities'] {
  return { issuer, subject, user_id: userId, login, email, created_at: createdAt, last_login_at: lastLoginAt }
}

function fromRow(row: Selectable<AdminTables['identities']>): Identity {
  const { issuer, subject, login, email } = row
  return { issuer, subject, userId: row.user_id, login, email, createdAt: row.created_at, lastLoginAt: row.last_login_at }
}
