import type { AdminStore, ApiKey } from '@koco/storage'
import { newId, newSecret, type SecretHash } from './secrets.ts'

const FORM = /^koco_([0-9a-f]{8})_[0-9a-f]{64}$/

/** Makes a key for a user and stores its hash. The key's text, `koco_<prefix>_<secret>`, is given this one time. */
export async function createApiKey(
  admin: AdminStore,
  hash: SecretHash,
  owner: { readonly userId: string; readonly name: string },
  nowMs: number,
): Promise<{ readonly key: string; readonly record: ApiKey }> {
  const prefix = newId().slice(0, 8)
  const key = `koco_${prefix}_${newSecret()}`
  const record = { id: newId(), userId: owner.userId, name: owner.name, prefix, hash: hash(key), createdAt: Math.floor(nowMs / 1000), usedAt: null }
  await admin.keys.create(record)
  return { key, record }
}

/** The hash of a well-formed key, or undefined: what cannot be a key is not looked up. */
export function apiKeyHash(hash: SecretHash, text: string): string | undefined {
  return FORM.test(text) ? hash(text) : undefined
}
