// Goal: a bucket keeps every rule of the content store. Method: the contract suite against a server that speaks the protocol; then what only a server can do: be away, or not let us in.
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { startS3 } from '@koco/testing'
import { expect, inject, test } from 'vitest'
import { describeBlobStore, type BlobFixture } from '../contract/describe-blob-store.ts'
import { Objects } from './objects.ts'
import { createS3Blobs, type S3Options } from './s3.ts'

/** An object gets old in so short a time here. */
const RENEW_MS = 800

function place(url: string): S3Options & { endpoint: string; accessKeyId: string; secretAccessKey: string } {
  const { protocol, host, username, password, pathname } = new URL(url)
  return { bucket: pathname.slice(1), endpoint: `${protocol}//${host}`, accessKeyId: username, secretAccessKey: password, prefix: `${randomUUID()}/` }
}

function openFixture(): Promise<BlobFixture> {
  const options = { ...place(inject('s3Url')), renewMs: RENEW_MS }
  const store = createS3Blobs(options)
  const client = new S3Client({ region: 'us-east-1', endpoint: options.endpoint, forcePathStyle: true, credentials: options })
  return Promise.resolve({
    store,
    graceMs: 2 * RENEW_MS,
    another: () => createS3Blobs(options),
    async damage(hash) {
      const at = { Bucket: options.bucket, Key: `${options.prefix}blobs/${hash.slice(0, 3)}/${hash}` }
      const bytes = await (await client.send(new GetObjectCommand(at))).Body?.transformToByteArray()
      if (!bytes) throw new Error('the object has no body')
      const byte = Math.floor(bytes.byteLength * 0.7)
      bytes[byte] = (bytes[byte] ?? 0) ^ 0xff
      await client.send(new PutObjectCommand({ ...at, Body: bytes }))
    },
    // Ages of objects are the server's, in whole seconds.
    ageAll: () => delay(2 * RENEW_MS + 1100),
    async dispose() {
      client.destroy()
      await store.close()
    },
  })
}

describeBlobStore('blobs in a bucket', openFixture)

test('a server that goes away and comes back loses nothing', async () => {
  await using server = await startS3()
  const store = createS3Blobs(place(server.url))
  const content = randomBytes(5_000)
  const { hash } = await store.put(content)
  await server.kill()
  await expect(store.put(randomBytes(10))).rejects.toMatchObject({ code: 'blobs_unavailable' })
  await server.restart()
  expect(await store.read(hash)).toEqual(content)
  await store.close()
})

test('a writing of an object that nobody saw is not deleted', async () => {
  const { bucket, endpoint, accessKeyId, secretAccessKey, prefix } = place(inject('s3Url'))
  const client = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
  const [objects, key] = [new Objects(client, bucket), `${prefix}renewed`]
  await objects.put(key, Buffer.from('first'))
  const seen = await objects.head(key)
  await objects.put(key, Buffer.from('again'))
  expect(await objects.delete(key, seen?.tag)).toBe(false)
  expect(await objects.delete(key, (await objects.head(key))?.tag)).toBe(true)
  expect(await objects.head(key)).toBeUndefined()
  client.destroy()
})

test('wrong keys and a missing bucket are refused with what to do', async () => {
  const right = place(inject('s3Url'))
  const strangers = createS3Blobs({ ...right, secretAccessKey: 'guess' })
  await expect(strangers.put(randomBytes(10))).rejects.toMatchObject({ code: 's3_refused', message: expect.stringContaining('correct its name and the keys') })
  const nowhere = createS3Blobs({ ...right, bucket: 'no-such-bucket' })
  await expect(nowhere.put(randomBytes(10))).rejects.toMatchObject({ code: 's3_refused' })
})
