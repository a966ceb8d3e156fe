import { RefusedError } from '@koco/core'
import type { Parts } from '../parts.ts'

/** Deletes a checkpoint; false when there is none. Its children continue its parent, and what only it held goes with the next sweep. RefusedError `checkpoint_locked`. */
export async function remove(parts: Parts, id: string): Promise<boolean> {
  const outcome = await parts.store.delete(id)
  if (outcome === 'locked') {
    throw new RefusedError(`Checkpoint ${id} is locked. Unlock it first: koco checkpoints unlock ${id}`, { code: 'checkpoint_locked' })
  }
  parts.crash('delete:indexed')
  if (outcome === 'deleted') await parts.manifests.remove(id)
  return outcome === 'deleted'
}
