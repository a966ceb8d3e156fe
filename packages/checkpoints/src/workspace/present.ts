import type { BlobStore } from '@koco/blobs'
import type { CheckpointFile, Manifest } from '../manifest/manifest.ts'
import { isSessionPath } from './paths.ts'
import { selector, type Selection } from './patterns.ts'

/** The files of the workspace that are meant and whose blobs are there, and those whose blobs are not. */
export async function presentFiles(manifest: Manifest, blobs: BlobStore, options: Selection): Promise<{ files: CheckpointFile[]; missing: string[] }> {
  const selected = selector(options)
  const wanted = manifest.files.filter(({ path }) => !isSessionPath(path) && selected(path))
  const gone = new Set(await blobs.touch([...new Set(wanted.map(({ hash }) => hash))]))
  return { files: wanted.filter(({ hash }) => !gone.has(hash)), missing: wanted.filter(({ hash }) => gone.has(hash)).map(({ path }) => path) }
}
