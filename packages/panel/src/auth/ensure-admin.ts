import { RefusedError } from '@koco/core'
import type { AdminStore } from '@koco/storage'
import { createPasswords } from './passwords.ts'
import { newId } from './secrets.ts'

/** The name of the first operator. */
export const ADMIN_NAME = 'admin'

/** What to make the first operator of. Without a password one is made. */
export type FirstAdmin = {
  readonly admin: AdminStore
  readonly email: string
  readonly password?: string | undefined
  readonly makePassword: () => string
  readonly clock: () => number
}

/**
 * Creates the operator `admin` when there is none. `madePassword` is given this one time, null when it was given or the operator exists.
 * RefusedError `weak_password` for the password "admin" or one under 8 characters.
 */
export async function ensureAdmin(first: FirstAdmin): Promise<{ readonly name: string; readonly created: boolean; readonly madePassword: string | null }> {
  const { admin } = first
  if (await admin.users.find(ADMIN_NAME)) return { name: ADMIN_NAME, created: false, madePassword: null }
  const password = first.password ?? first.makePassword()
  checkPassword(password, ADMIN_NAME)
  const user = {
    id: newId(),
    name: ADMIN_NAME,
    email: first.email,
    role: 'operator',
    active: true,
    createdAt: Math.floor(first.clock() / 1000),
    passwordHash: await createPasswords().hash(password),
  } as const
  try {
    await admin.users.create(user)
  } catch (error) {
    // Another process was first; its password is the one that counts.
    if (error instanceof RefusedError && error.code === 'user_exists' && (await admin.users.find(ADMIN_NAME))) {
      return { name: ADMIN_NAME, created: false, madePassword: null }
    }
    throw error
  }
  return { name: ADMIN_NAME, created: true, madePassword: first.password === undefined ? password : null }
}

/** RefusedError `weak_password` for a password that is too short, too long, or the user's own name. */
export function checkPassword(password: string, name: string): void {
  const why =
    password.toLowerCase() === name.toLowerCase()
      ? 'is the name itself'
      : password.length < 8
        ? 'has fewer than 8 characters'
        : password.length > 256
          ? 'has more than 256 characters'
          : null
  if (why !== null) throw new RefusedError(`The password of "${name}" ${why}; choose one of 8 to 256 characters.`, { code: 'weak_password' })
}
