import type { Sweep } from '@koco/blobs'
import type { CheckpointRow } from '@koco/storage'
import type { Parts } from '../parts.ts'
import { allRows } from './retention.ts'

const GRACE_MS = 3_600_000

/** What a collection did; `manifests`: files of checkpoints that never came to be. */
export type Collection = Sweep & { readonly manifests: number }

/**
 * Takes away what no checkpoint holds and nobody has used for `graceMs` (default an hour). Never what a running create needs. `also`: hashes that others hold in the same content store. Throws, and
 * removes nothing, when a manifest cannot be read: what it holds is not known then.
 */
export async function gc(
  parts: Parts,
  { graceMs = GRACE_MS, also }: { readonly graceMs?: number | undefined; readonly also?: (() => Promise<Iterable<string>>) | undefined } = {},
): Promise<Collection> {
  const mark = async (): Promise<ReadonlySet<string>> => {
    const marked = new Set(await also?.())
    for await (const row of allRows(parts.store)) {
      for (const hash of await heldBy(parts, row)) marked.add(hash)
    }
    return marked
  }
  const sweep = await parts.blobs.sweep(mark, { graceMs })
  const manifests = await parts.manifests.tidy(async (id) => (await parts.store.get(id)) !== undefined, parts.clock() - Math.max(graceMs, GRACE_MS))
  return { ...sweep, manifests }
}

/** Everything that a checkpoint holds; of one that was deleted since it was listed, nothing, and of one that was described anew, what it holds now. */
async function heldBy(parts: Parts, row: CheckpointRow): Promise<readonly string[]> {
  try {
    return [row.manifest, ...(await parts.manifests.stored(row)).files.map(({ hash }) => hash)]
  } catch (error) {
    const now = await parts.store.get(row.id)
    if (!now) return []
    if (now.manifest !== row.manifest) return await heldBy(parts, now)
    throw error
  }
}
