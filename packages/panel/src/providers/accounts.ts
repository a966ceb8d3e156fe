import { RefusedError } from '@koco/core'
import { isUserName, type AdminStore, type User } from '@koco/storage'
import { newId } from '../auth/secrets.ts'
import { ProblemError } from '../server/problems.ts'
import type { Vouched } from './provider.ts'

/** What somebody may become who has no account here: nobody, or a user of this role. */
export type SignUp = 'closed' | 'viewer' | 'user'

/** What finding a user needs. */
export type AccountDeps = { readonly admin: AdminStore; readonly signUp: SignUp; readonly clock: () => number }

/**
 * The user whom a provider vouches for, made at the first time. Problem 403 `account_off`, 403 `sign_up_closed`, 409 `user_exists` when their address belongs to another user: whoever has that
 * account connects the two when they are signed in.
 */
export async function userOf(vouched: Vouched, deps: AccountDeps): Promise<User> {
  const { admin, clock } = deps
  const nowS = Math.floor(clock() / 1000)
  const user = (await knownUser(vouched, admin)) ?? (await makeUser(vouched, deps, nowS))
  if (!user.active) throw new ProblemError(403, 'account_off', `The account ${user.name} is turned off; an operator can turn it on.`)
  await admin.identities.seen(vouched, nowS)
  await admin.users.loggedIn(user.id, nowS)
  return user
}

/** Makes the account at a provider one of a user who is signed in. Problem 409 `identity_exists` when it is somebody's already. */
export async function connect(vouched: Vouched, userId: string, { admin, clock }: AccountDeps): Promise<void> {
  const known = await admin.identities.get(vouched.issuer, vouched.subject)
  if (known?.userId === userId) return
  const at = Math.floor(clock() / 1000)
  await admin.identities.create({ ...vouched, userId, createdAt: at, lastLoginAt: at })
}

async function knownUser({ issuer, subject }: Vouched, admin: AdminStore): Promise<User | undefined> {
  const identity = await admin.identities.get(issuer, subject)
  return identity && admin.users.get(identity.userId)
}

async function makeUser(vouched: Vouched, { admin, signUp }: AccountDeps, nowS: number): Promise<User> {
  if (signUp === 'closed') {
    throw new ProblemError(
      403,
      'sign_up_closed',
      `Nobody here has the account "${vouched.login}"; ask an operator, who can add you or open the sign-up (KODO_SIGN_UP).`,
    )
  }
  for (const name of namesFor(vouched)) {
    if (await admin.users.find(name)) continue
    const user = { id: newId(), name, email: vouched.email, role: signUp, active: true, createdAt: nowS, passwordHash: null }
    try {
      await admin.identities.create({ ...vouched, userId: user.id, createdAt: nowS, lastLoginAt: nowS }, user)
      return { ...user, lastLoginAt: null }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      // The same person at the same time in another window, or a name that was taken a moment ago.
      const known = await knownUser(vouched, admin)
      if (known) return known
      if (await admin.users.find(vouched.email)) throw emailExists(vouched)
    }
  }
  throw new ProblemError(409, 'user_exists', `A user with the name "${vouched.login}" already exists; ask an operator.`)
}

/** Names to try: what they are called there, then one that nobody else can be given. */
function namesFor({ login, subject }: Vouched): string[] {
  const plain = login
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 40)
  const base = plain === '' ? 'user' : plain
  const own = subject
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '')
    .slice(0, 20)
  return [base, `${base}-${own}`, `${base}-${newId().slice(0, 8)}`].filter(isUserName)
}

function emailExists({ email }: Vouched): ProblemError {
  return new ProblemError(
    409,
    'user_exists',
    `A user with the address "${email}" already exists. Sign in with that account's password, then connect the other one under Settings.`,
  )
}
