import type { Readable } from 'node:stream'
import { RefusedError } from '@koco/core'
import type { CheckpointFile } from '../manifest/manifest.ts'
import { mustFind, type Parts } from '../parts.ts'

/** A file of a checkpoint and its bytes, streamed and verified. RefusedError `unknown_checkpoint`, `unknown_file`, `unknown_blob`; PoisonError `blob_corrupt`. */
export async function fileContent(parts: Parts, id: string, path: string): Promise<{ readonly file: CheckpointFile; readonly content: Readable }> {
  const { files } = await parts.manifests.read(await mustFind(parts, id))
  const file = files.find((one) => one.path === path)
  if (!file) throw new RefusedError(`Checkpoint ${id} has no file "${path.slice(0, 200)}".`, { code: 'unknown_file' })
  return { file, content: await parts.blobs.open(file.hash) }
}
