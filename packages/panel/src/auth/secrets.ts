import { createHmac, randomBytes, randomInt } from 'node:crypto'

/** A secret of 256 bits as hex text. */
export function newSecret(): string {
  return randomBytes(32).toString('hex')
}

/** What is stored of a session's or key's secret. */
export type SecretHash = (secret: string) => string

/** The hash of an installation: keyed, so that whoever can write into the admin store, but does not know the key, cannot add a session or an API key of his own. */
export function secretHash(secretKey: string): SecretHash {
  return (secret) => createHmac('sha256', secretKey).update(secret).digest('hex')
}

/** A short random id as hex text. */
export function newId(): string {
  return randomBytes(12).toString('hex')
}

const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** A password that a person can copy by hand: 20 letters and digits that do not look alike, over 110 bits. */
export function makePassword(): string {
  return Array.from({ length: 20 }, () => LETTERS[randomInt(LETTERS.length)]).join('')
}
