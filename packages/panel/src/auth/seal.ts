import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { SecretHash } from './secrets.ts'

/** Makes text that only this installation can read, and whose change it sees. */
export type Seal = {
  seal(text: string): string
  /** The text, or undefined when it was not sealed here for this purpose. */
  open(sealed: string): string | undefined
}

const IV_BYTES = 12
const TAG_BYTES = 16

/** A seal for one purpose, by AES-256-GCM under a key made of the installation's. */
export function createSeal(hash: SecretHash, purpose: string): Seal {
  const key = createHash('sha256')
    .update(hash(`koco seal: ${purpose}`))
    .digest()
  return {
    seal(text) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < IV_BYTES + TAG_BYTES) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}
