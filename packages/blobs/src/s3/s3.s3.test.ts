// Goal: a bucket keeps every rule of the content store. Method: the contract suite against a server that speaks the protocol; then what only a server can do: be away, or not let us in.
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
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

test.for([
  [1, 'is written again', [], 2],
  [9, 'counts as missing in the end', ['it'], 3],
] as const)('an object that goes right after it was written anew, %i times, %s', async ([times, _what, missing, written]) => {
  const at = place(inject('s3Url'))
  const store = createS3Blobs(at)
  const content = randomBytes(1000)
  const { hash } = await store.put(content)
  let puts = 0
  await using server = await afterPuts(at.endpoint, async (key) => {
    puts += 1
    if (puts <= times) await deleteObject(at, key)
  })
  const renewing = createS3Blobs({ ...at, endpoint: server.url, renewMs: 0 })
  expect((await renewing.touch([hash])).map((gone) => (gone === hash ? 'it' : gone))).toEqual(missing)
  expect(puts).toBe(written)
  if (missing.length === 0) expect(await store.read(hash)).toEqual(content)
  await renewing.close()
  await store.close()
})

test('wrong keys and a missing bucket are refused with what to do', async () => {
  const right = place(inject('s3Url'))
  const strangers = createS3Blobs({ ...right, secretAccessKey: 'guess' })
  await expect(strangers.put(randomBytes(10))).rejects.toMatchObject({ code: 's3_refused', message: expect.stringContaining('correct its name and the keys') })
  const nowhere = createS3Blobs({ ...right, bucket: 'no-such-bucket' })
  await expect(nowhere.put(randomBytes(10))).rejects.toMatchObject({ code: 's3_refused' })
})

/** Another address of a server; `then` is called with the key of each object that was put, before whoever put it is told. */
async function afterPuts(endpoint: string, then: (key: string) => Promise<void>): Promise<AsyncDisposable & { readonly url: string }> {
  const proxy = createServer((asked, answer) => {
    const { url = '', method, headers } = asked
    const passed = request(endpoint + url, { method, headers })
    const pass = async (): Promise<void> => {
      const [response] = (await once(passed, 'response')) as [IncomingMessage]
      if (method === 'PUT') await then(decodeURIComponent(url.split('?')[0]?.split('/').slice(2).join('/') ?? ''))
      answer.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(answer)
    }
    void pass()
    asked.pipe(passed)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const close = promisify(proxy.close.bind(proxy))
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => close(),
  }
}

async function deleteObject({ bucket, endpoint, accessKeyId, secretAccessKey }: ReturnType<typeof place>, key: string): Promise<void> {
  const client = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
  await new Objects(client, bucket).delete(key)
  client.destroy()
}
