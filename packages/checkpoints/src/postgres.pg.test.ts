// Goal: checkpoints keep all that they promise with Postgres as their index. Method: the contract suite over Postgres and a folder.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFolderBlobs } from '@koco/blobs'
import { openExecutionStore } from '@koco/storage'
import { createDatabase } from '@koco/testing'
import { inject } from 'vitest'
import { describeManager } from './contract/describe-manager.ts'

describeManager('checkpoints over Postgres and a folder', async () => {
  const { url, drop } = await createDatabase(inject('postgresUrl'))
  const dir = await mkdtemp(join(tmpdir(), 'koco-stores-'))
  const [store, blobs] = [await openExecutionStore({ url, migrate: true }), createFolderBlobs({ dir })]
  return {
    store: store.checkpoints,
    blobs,
    async dispose() {
      await blobs.close()
      await store.close()
      await drop()
      await rm(dir, { recursive: true })
    },
  }
})
