// Goal: checkpoints keep all that they promise in an embedded installation. Method: the contract suite over SQLite and a folder.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFolderBlobs } from '@koco/blobs'
import { openExecutionStore } from '@koco/storage'
import { describeManager } from './contract/describe-manager.ts'

describeManager('checkpoints over SQLite and a folder', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'koco-stores-'))
  const [store, blobs] = [await openExecutionStore({ dir: join(dir, 'execution'), migrate: true }), createFolderBlobs({ dir: join(dir, 'blobs') })]
  return {
    store: store.checkpoints,
    blobs,
    async dispose() {
      await blobs.close()
      await store.close()
      await rm(dir, { recursive: true })
    },
  }
})
