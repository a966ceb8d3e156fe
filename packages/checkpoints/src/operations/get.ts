import { RefusedError, toJson, type Json } from '@koco/core'
import type { CheckpointWords } from '@koco/storage'
import { manifestText } from '../manifest/manifest.ts'
import { checkpointOf, mustFind, pinned, type Checkpoint, type Parts } from '../parts.ts'

/** A checkpoint with its files. RefusedError `unknown_checkpoint`, `corrupt_manifest`. */
export async function get(parts: Parts, id: string): Promise<Checkpoint> {
  const row = await mustFind(parts, id)
  return checkpointOf(await parts.manifests.read(row), row)
}

const TRIES = 5

/** Says something else of a checkpoint; what is not given stays. RefusedError `unknown_checkpoint`, `corrupt_manifest`, `checkpoint_changed` when others change it all the time. */
export async function update(parts: Parts, id: string, change: Partial<CheckpointWords>): Promise<Checkpoint> {
  for (let tries = 0; tries < TRIES; tries++) {
    const row = await mustFind(parts, id)
    const before = await parts.manifests.read(row)
    const words = {
      description: change.description ?? before.description,
      tags: [...(change.tags ?? before.tags)],
      metadata: toJson(change.metadata ?? before.metadata) as { [key: string]: Json },
    }
    const manifest = { ...before, ...words, revision: row.revision + 1 }
    const text = manifestText(manifest)
    const done = await pinned(parts, async () => {
      const { hash } = await parts.blobs.put(Buffer.from(text), { level: parts.compressionLevel })
      return await parts.store.describe(id, manifest.revision, { ...words, manifest: hash })
    })
    if (!done) continue
    parts.crash('update:indexed')
    await parts.manifests.write(id, text)
    return checkpointOf(manifest, row)
  }
  throw new RefusedError(`Checkpoint ${id} is being changed by others all the time. Try again.`, { code: 'checkpoint_changed' })
}
