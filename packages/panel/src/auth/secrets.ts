import { createHash, randomBytes, randomInt } from 'node:crypto'

/** A secret of 256 bits as hex text. */
export function newSecret(): string {
  return randomBytes(32).toString('hex')
}

/** What is stored of a secret. Secrets are random and long, so a plain hash is enough. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
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
