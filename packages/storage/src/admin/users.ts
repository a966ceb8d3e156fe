import { RefusedError } from '@koco/core'
import { sql, type Selectable } from 'kysely'
import type { AdminStore } from '../port/admin.ts'
import type { NewUser, User } from '../port/users.ts'
import { isUserName } from '../user-name.ts'
import type { AdminDatabase, AdminTables } from './schema.ts'

/** What Postgres and better-sqlite3 call a value that is taken. */
const TAKEN: readonly unknown[] = ['23505', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY']

/** The people who may sign in. RefusedError `bad_user_name` for a name that is no folder name, `user_exists` for one that is taken. */
export function createUserTable(db: AdminDatabase): AdminStore['users'] {
  return {
    create: (user) => insertUser(db, user),
    async get(id) {
      const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    async find(login) {
      const key = login.trim().toLowerCase()
      const row = await db
        .selectFrom('users')
        .selectAll()
        .where((where) => where.or([where('name', '=', key), where('email_key', '=', key)]))
        .executeTakeFirst()
      return row && fromRow(row)
    },
    async list() {
      const rows = await db.selectFrom('users').selectAll().orderBy('name').execute()
      return rows.map(fromRow)
    },
    async update(id, { email, role, active, passwordHash }) {
      const change = {
        ...(email !== undefined && { email, email_key: email.toLowerCase() }),
        ...(role !== undefined && { role }),
        ...(active !== undefined && { active: Number(active) }),
        ...(passwordHash !== undefined && { password_hash: passwordHash }),
      }
      // An empty change still answers whether there is such a user.
      const update = db
        .updateTable('users')
        .set({ id, ...change })
        .where('id', '=', id)
      const result = await unlessTaken(`the address "${email ?? ''}"`, () => update.executeTakeFirst())
      return result.numUpdatedRows > 0n
    },
    async loggedIn(id, at) {
      const later = sql<number>`case when last_login_at is null or last_login_at < ${at} then ${at} else last_login_at end`
      await db.updateTable('users').set({ last_login_at: later }).where('id', '=', id).execute()
    },
  }
}

/** Makes a user, within a transaction too. RefusedError `bad_user_name`, `user_exists`. */
export async function insertUser(db: AdminDatabase, user: NewUser): Promise<void> {
  if (!isUserName(user.name)) throw badName(user.name)
  await unlessTaken(`the name "${user.name}" or the address "${user.email}"`, () => db.insertInto('users').values(toRow(user)).execute())
}

/** True for the error of a database that has such a row already. */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && TAKEN.includes(error.code)
}

function toRow({ id, name, email, role, active, createdAt, passwordHash }: NewUser): AdminTables['users'] {
  return {
    id,
    name,
    email,
    email_key: email.toLowerCase(),
    role,
    active: Number(active),
    created_at: createdAt,
    password_hash: passwordHash,
    last_login_at: null,
  }
}

function fromRow(row: Selectable<AdminTables['users']>): User {
  const { id, name, email, role } = row
  return { id, name, email, role, active: row.active === 1, createdAt: row.created_at, lastLoginAt: row.last_login_at, passwordHash: row.password_hash }
}

async function unlessTaken<T>(what: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!isTaken(error)) throw error
    throw new RefusedError(`A user with ${what} already exists. Choose another.`, { code: 'user_exists', cause: error })
  }
}

function badName(name: string): RefusedError {
  const message = `"${name}" cannot be a user name: it is also a folder name, so it needs 1 to 63 of a-z, 0-9, dot, dash and underscore, a letter or digit first.`
  return new RefusedError(message, { code: 'bad_user_name' })
}
