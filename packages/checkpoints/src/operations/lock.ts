import type { CheckpointRow } from '@koco/storage'
import { mustFind, type Parts } from '../parts.ts'

/** Locks a checkpoint: it cannot be deleted, pruned or retired. May be repeated. RefusedError `unknown_checkpoint`. */
export async function lock(
  parts: Parts,
  id: string,
  { by = 'system', reason = null }: { readonly by?: string; readonly reason?: string | null } = {},
): Promise<CheckpointRow> {
  const row = await mustFind(parts, id)
  const held = row.lock ?? { by, at: parts.clock() / 1000, reason }
  await parts.store.setLock(id, held)
  return { ...row, lock: held }
}

/** Unlocks a checkpoint. May be repeated. RefusedError `unknown_checkpoint`. */
export async function unlock(parts: Parts, id: string): Promise<CheckpointRow> {
  const row = await mustFind(parts, id)
  await parts.store.setLock(id, null)
  return { ...row, lock: null }
}
