// Goal: checkpoints keep all that they promise with their content in a bucket. Method: the contract suite over SQLite and an S3 server.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createS3Blobs } from '@koco/blobs/s3'
import { openExecutionStore } from '@koco/storage'
import { inject } from 'vitest'
import { describeManager } from './contract/describe-manager.ts'

describeManager('checkpoints over SQLite and a bucket', async () => {
  const { protocol, host, username, password, pathname } = new URL(inject('s3Url'))
  const dir = await mkdtemp(join(tmpdir(), 'koco-stores-'))
  const store = await openExecutionStore({ dir, migrate: true })
  const place = { bucket: pathname.slice(1), endpoint: `${protocol}//${host}`, accessKeyId: username, secretAccessKey: password }
  const blobs = createS3Blobs({ ...place, prefix: `${randomUUID()}/`, renewMs: 1000 })
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
