/** Roles, each with the rights of those before it. */
export type Role = 'viewer' | 'user' | 'operator'

/** Somebody who signs in. `name` is also a folder name: `[a-z0-9][a-z0-9._-]{0,62}`. `lastLoginAt` null: not yet. */
export type User = {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: Role
  readonly active: boolean
  readonly createdAt: number
  readonly lastLoginAt: number | null
  readonly passwordHash: string | null
}

/** A user to be made. */
export type NewUser = Omit<User, 'lastLoginAt'>
