// Goal: what is kept together is bounded, and a blob that did not come to disk is told before anything names it. Method: a store whose disk waits for the test.
import type { BegunBlob, BlobStore } from '@koco/blobs'
import { expect, test } from 'vitest'
import { BlobsUnderWay } from './blobs-under-way.ts'

function slowDisk() {
  const begun: PromiseWithResolvers<void>[] = []
  const begin = (): Promise<BegunBlob> => {
    const disk = Promise.withResolvers<void>()
    begun.push(disk)
    return Promise.resolve({ hash: String(begun.length), size: 1, stored: 1, created: true, durable: disk.promise })
  }
  return { begun, blobs: new BlobsUnderWay({ begin } as unknown as BlobStore) }
}

const put = (blobs: BlobsUnderWay) => blobs.put(Buffer.from('x'), { level: 6 })
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('no more than sixteen wait for the disk at a time, and durable is when all of them are there', async () => {
  const { begun, blobs } = slowDisk()
  const puts = Promise.all(Array.from({ length: 20 }, () => put(blobs)))
  let isDurable = false
  await turn()
  expect(begun).toHaveLength(16)
  for (const disk of begun.slice(0, 4)) disk.resolve()
  expect((await puts).map(({ hash }) => hash)).toHaveLength(20)
  expect(begun).toHaveLength(20)
  const durable = blobs.durable().then(() => (isDurable = true))
  for (const disk of begun.slice(4, 19)) disk.resolve()
  await turn()
  expect(isDurable).toBe(false)
  begun[19]?.resolve()
  await durable
})

test('one that did not come to disk fails the rest, and whoever waits for all', async () => {
  const { begun, blobs } = slowDisk()
  await put(blobs)
  await put(blobs)
  begun[0]?.reject(new Error('the disk is full'))
  await turn()
  await expect(put(blobs)).rejects.toThrow('the disk is full')
  setImmediate(() => begun[1]?.resolve())
  await expect(blobs.durable()).rejects.toThrow('the disk is full')
})
