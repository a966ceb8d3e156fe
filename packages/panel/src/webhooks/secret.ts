import { randomBytes } from 'node:crypto'
import { createSeal, type Seal } from '../auth/seal.ts'
import type { SecretHash } from '../auth/secrets.ts'

/** A secret to sign with in the form of Standard Webhooks: `whsec_` and 32 bytes in base64. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

/** How secrets lie in the store: only this installation can read them. */
export function webhookSeal(hash: SecretHash): Seal {
  return createSeal(hash, 'webhook secrets')
}
