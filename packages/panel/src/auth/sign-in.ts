import type { AdminStore, User } from '@koco/storage'
import { ProblemError } from '../server/problems.ts'
import type { Passwords } from './passwords.ts'
import { createThrottle } from './throttle.ts'

/**
 * The user of a right name (or e-mail address) and password. Everything else takes as long and gets the same answer: problem 401 `wrong_login`; too often: 429 `too_many_logins`
 * with the seconds to wait.
 */
export type SignIn = (login: string, password: string, address: string) => Promise<User>

/** Failures that pass before somebody must wait: under one account from one address, one account from anywhere, one address for any account. */
const FREE = { pair: 5, account: 20, address: 50 }

/** What signing in needs; `count` is told each outcome. */
export type SignInDeps = {
  readonly admin: AdminStore
  readonly passwords: Passwords
  readonly clock: () => number
  readonly count: (outcome: 'ok' | 'wrong' | 'throttled') => void
}

/** Sign-in over the admin store, throttled in this process. */
export function createSignIn({ admin, passwords, clock, count }: SignInDeps): SignIn {
  const pairs = createThrottle(clock, FREE.pair)
  const accounts = createThrottle(clock, FREE.account)
  const addresses = createThrottle(clock, FREE.address)

  return async (login, password, address) => {
    const account = login.trim().toLowerCase()
    const pair = `${account} ${address}`
    const waitS = Math.max(pairs.waitS(pair), accounts.waitS(account), addresses.waitS(address))
    if (waitS > 0) {
      count('throttled')
      throw new ProblemError(429, 'too_many_logins', `Too many wrong passwords; try again in ${waitS} s.`, { retryAfterS: waitS })
    }
    // Counted before the slow check, so that tries sent all at once do not pass together.
    pairs.failed(pair)
    accounts.failed(account)
    addresses.failed(address)
    const user = await admin.users.find(account)
    const right = await passwords.verify(user?.active === true ? user.passwordHash : null, password)
    if (!user || !right) {
      count('wrong')
      throw new ProblemError(401, 'wrong_login', 'Name or password is wrong.')
    }
    pairs.forgiven(pair)
    accounts.forgiven(account)
    addresses.forgiven(address)
    await admin.users.loggedIn(user.id, Math.floor(clock() / 1000))
    count('ok')
    return user
  }
}
