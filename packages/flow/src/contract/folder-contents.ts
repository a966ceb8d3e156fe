import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFolderBlobs, type BlobStore } from '@koco/blobs'
import { createBlobContents } from '../contents/blob-contents.ts'
import type { Contents } from '../contents/port.ts'

/** Contents in a throw-away folder that every process of a test may use, and the store under them. */
export async function folderContents(): Promise<{ readonly contents: Contents; readonly blobs: BlobStore; readonly remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'koco-contents-'))
  const blobs = createFolderBlobs({ dir })
  const contents = createBlobContents(blobs, { shared: true })
  const remove = async (): Promise<void> => {
    await contents.close()
    await blobs.close()
    await rm(dir, { recursive: true, force: true })
  }
  return { contents, blobs, remove }
}
