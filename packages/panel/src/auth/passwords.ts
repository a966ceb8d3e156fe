import { UnavailableError } from '@koco/core'
import { hash, verify } from '@node-rs/argon2'

// OWASP's floor for argon2id, which is the library's default algorithm.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const RUNNING_MAX = 4
const WAITING_MAX = 64
const PASSWORD_BYTES_MAX = 1024

/** Hashes and checks passwords, a few at a time: each takes 19 MiB and some 20 ms of a core. */
export type Passwords = {
  hash(password: string): Promise<string>
  /** False for a wrong password. Without a hash (unknown user) it takes as long and is false. */
  verify(passwordHash: string | null, password: string): Promise<boolean>
}

/** Passwords as argon2id. At most 4 hashes run and 64 wait; beyond that UnavailableError `sign_in_busy`. */
export function createPasswords(): Passwords {
  const turn = createTurnstile()
  // What an unknown user's password is compared with, so that the answer takes as long. Made at the first need.
  let dummy: Promise<string> | undefined
  return {
    hash: (password) => turn(() => hash(password, COST)),
    async verify(passwordHash, password) {
      dummy ??= hash('no user has this password', COST)
      const against = passwordHash ?? (await dummy)
      const given = Buffer.byteLength(password) > PASSWORD_BYTES_MAX ? '' : password
      const right = await turn(() => verify(against, given))
      return right && passwordHash !== null
    },
  }
}

function createTurnstile(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running >= RUNNING_MAX) {
      if (waiting.length >= WAITING_MAX) {
        throw new UnavailableError(`${WAITING_MAX} sign-ins wait already; try again in a few seconds`, { code: 'sign_in_busy' })
      }
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      // The place passes to the next in line, so that nobody slips in between.
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
