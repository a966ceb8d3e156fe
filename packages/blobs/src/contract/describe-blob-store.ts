// Goal: what is put comes back byte for byte, once, whatever its size, level and neighbours; a sweep removes exactly what nobody needs. Method: content of every awkward kind, property tests, writers and
// sweeps at the same time.
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BlobStore, CompressionLevel } from '../port.ts'

/** A store over a fresh place. `another`: opens the same place again. `damage`: changes a byte of a stored blob. `ageAll`: makes everything older than `graceMs`. */
export type BlobFixture = {
  readonly store: BlobStore
  readonly graceMs: number
  another(): BlobStore
  damage(hash: string): Promise<void>
  ageAll(): Promise<void>
  dispose(): Promise<void>
}

const LEVELS: readonly CompressionLevel[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
const none = () => Promise.resolve(new Set<string>())

/** The suite that every content store passes. */
export function describeBlobStore(name: string, openFixture: () => Promise<BlobFixture>): void {
  describe(name, () => {
    let fixture: BlobFixture
    beforeAll(async () => {
      fixture = await openFixture()
    })
    afterAll(async () => await fixture.dispose())
    describeKeeping(() => fixture)
    describeSweeping(() => fixture)
  })
}

function describeKeeping(fixture: () => BlobFixture): void {
  const store = () => fixture().store

  test('a blob is named by the SHA-256 of its raw bytes and comes back', async () => {
    const put = await store().put(Buffer.from('hello'))
    expect(put).toMatchObject({ hash: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824', size: 5, created: true })
    expect((await store().read(put.hash)).toString()).toBe('hello')
    expect(await store().stat(put.hash)).toEqual({ hash: put.hash, size: 5, stored: put.stored })
  })

  test.each(LEVELS)('level %i gives the same bytes back, and only 0 keeps them plainly', async (level) => {
    const content = Buffer.from(`level ${level}: ${'the same again and again, '.repeat(2000)}`)
    const { hash, stored } = await store().put(content, { level })
    expect(hash).toBe(sum(content))
    expect(await store().read(hash)).toEqual(content)
    if (level === 0) expect(stored).toBeGreaterThanOrEqual(content.byteLength)
    else expect(stored).toBeLessThan(content.byteLength / 10)
  })

  test('what does not shrink takes its own size and a header', async () => {
    for (const size of [1, 1000, 600_000]) {
      const { stored } = await store().put(randomBytes(size), { level: 9 })
      expect(stored).toBeLessThanOrEqual(size + 64)
    }
  })

  test('any bytes come back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 4096 }), fc.constantFrom(...LEVELS), async (bytes, level) => {
        const { hash } = await store().put(bytes, { level })
        expect(hash).toBe(sum(bytes))
        expect([...(await store().read(hash))]).toEqual([...bytes])
        expect([...(await buffer(await store().open(hash)))]).toEqual([...bytes])
      }),
      { numRuns: 30 },
    )
  })

  test('a stream of 110 MB comes back as a stream, without being held', async () => {
    const piece = Buffer.concat([randomBytes(512 * 1024), Buffer.alloc(512 * 1024, 'koco ')])
    async function* content(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 110; i++) {
        piece.writeUInt32BE(i)
        yield Buffer.from(piece)
      }
    }
    const expected = createHash('sha256')
    for await (const chunk of content()) expected.update(chunk)
    const { hash, size, stored } = await store().put(content())
    expect([hash, size]).toEqual([expected.digest('hex'), 110 * 1024 * 1024])
    expect(stored).toBeLessThan(size * 0.6)
    const seen = createHash('sha256')
    for await (const chunk of await store().open(hash)) seen.update(chunk as Buffer)
    expect(seen.digest('hex')).toBe(hash)
    const again = await store().put(content())
    expect(again).toMatchObject({ hash, size, created: false })
  })

  test.each([
    ['small', 70_000, 'random'],
    ['large and plain', 9 * 1024 * 1024, 'random'],
    ['large and compressed', 24 * 1024 * 1024, 'half'],
  ] as const)('a part of a %s blob is what it is of the whole', async (_what, size, kind) => {
    const content =
      kind === 'random' ? randomBytes(size) : Buffer.concat(Array.from({ length: size / 2048 }, () => [randomBytes(1024), Buffer.alloc(1024)]).flat())
    const { hash } = await store().put(content)
    for (const [start, end] of [
      [0, 0],
      [0, size - 1],
      [size - 1, size - 1],
      [1000, 300_000],
      [size - 66_000, size - 10],
    ] as const) {
      const part = await buffer(await store().open(hash, { start, end }))
      expect(part.equals(content.subarray(start, end + 1)), `${start}-${end}`).toBe(true)
    }
    const cut = await store().open(hash, { start: 10, end: size - 1 })
    for await (const chunk of cut) {
      expect((chunk as Buffer).byteLength).toBeGreaterThan(0)
      break
    }
  })

  test('who holds blobs is known to everybody from when it said so', async () => {
    expect(await store().holders()).toEqual([])
    await store().announce('one')
    await Promise.all([store().announce('two'), fixture().another().announce('one')])
    expect([...(await fixture().another().holders())].toSorted()).toEqual(['one', 'two'])
    await fixture().ageAll()
    await store().sweep(() => Promise.resolve(new Set()), { graceMs: 0 })
    expect([...(await store().holders())].toSorted()).toEqual(['one', 'two'])
  })

  test('a stream that fails leaves no blob', async () => {
    const piece = randomBytes(1024 * 1024)
    async function* failing(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 8; i++) yield piece
      throw new Error('the source broke')
    }
    await expect(store().put(failing())).rejects.toThrow('the source broke')
    expect(await store().stat(sum(Buffer.concat(Array.from({ length: 8 }, () => piece))))).toBeUndefined()
  })

  test('content that was begun is known at once and there when it is durable', async () => {
    for (const content of [randomBytes(9_000), randomBytes(5_000_000)]) {
      for (const given of [content, Readable.from([content])]) {
        const { durable, ...blob } = await store().begin(given)
        expect(blob).toMatchObject({ hash: sum(content), size: content.byteLength, created: given === content })
        await durable
        expect((await store().read(blob.hash)).equals(content)).toBe(true)
        expect(await store().stat(blob.hash)).toEqual({ hash: blob.hash, size: blob.size, stored: blob.stored })
      }
    }
  })

  test('equal content is kept once, whoever puts it, and however', async () => {
    const content = randomBytes(50_000)
    const stores = [store(), fixture().another(), fixture().another()]
    async function* pieces(): AsyncGenerator<Buffer> {
      yield content.subarray(0, 7)
      yield content.subarray(7)
    }
    const puts = await Promise.all(
      Array.from({ length: 12 }, (_none, i) => (stores[i % 3] ?? store()).put(i % 2 === 0 ? content : pieces(), { level: i % 2 === 0 ? 0 : 9 })),
    )
    expect(new Set(puts.map(({ hash }) => hash))).toEqual(new Set([sum(content)]))
    expect(await store().put(content)).toMatchObject({ created: false })
    expect(await store().read(sum(content))).toEqual(content)
    await Promise.all(stores.slice(1).map((one) => one.close()))
  })

  test('what is not there is said', async () => {
    const nobody = 'f'.repeat(64)
    await expect(store().read(nobody)).rejects.toMatchObject({ code: 'unknown_blob' })
    await expect(store().open(nobody)).rejects.toMatchObject({ code: 'unknown_blob' })
    await expect(store().read('../../etc/passwd')).rejects.toMatchObject({ code: 'unknown_blob' })
    expect(await store().stat(nobody)).toBeUndefined()
    const { hash } = await store().put(Buffer.from('touched'))
    expect(await store().touch([hash, nobody])).toEqual([nobody])
  })

  test.each([
    ['small', 2_000],
    ['large', 9 * 1024 * 1024],
  ])('a %s blob that was damaged is never given as whole', async (_what, size) => {
    for (const content of [randomBytes(size), Buffer.alloc(size, randomBytes(Math.ceil(size / 2)).toString('hex'))]) {
      const { hash } = await store().put(content)
      await fixture().damage(hash)
      await expect(store().read(hash)).rejects.toMatchObject({ code: 'blob_corrupt' })
      const streamed = store()
        .open(hash)
        .then((stream) => buffer(stream))
      await expect(streamed).rejects.toMatchObject({ code: 'blob_corrupt' })
    }
  })
}

function describeSweeping(fixture: () => BlobFixture): void {
  const store = () => fixture().store

  test('a sweep removes what nothing names, and nothing else', async () => {
    const [kept, gone] = [await store().put(randomBytes(100)), await store().put(randomBytes(100))]
    await fixture().ageAll()
    const swept = await store().sweep(() => Promise.resolve(new Set([kept.hash])), { graceMs: 0 })
    expect(swept.removed).toBeGreaterThan(0)
    expect(swept.bytes).toBeGreaterThanOrEqual(gone.stored)
    expect(await store().stat(gone.hash)).toBeUndefined()
    expect((await store().read(kept.hash)).byteLength).toBe(100)
    expect(await store().sweep(() => Promise.resolve(new Set([kept.hash])), { graceMs: 0 })).toMatchObject({ removed: 0, kept: 1 })
  })

  test('what was put or touched within the grace stays', async () => {
    const [old, touched, put] = [randomBytes(100), randomBytes(100), randomBytes(100)]
    for (const content of [old, touched, put]) await store().put(content)
    await fixture().ageAll()
    await store().put(put)
    await store().touch([sum(touched)])
    await store().sweep(none, { graceMs: fixture().graceMs })
    expect([await store().stat(sum(old)), await store().stat(sum(touched)), await store().stat(sum(put))]).toEqual([
      undefined,
      expect.anything(),
      expect.anything(),
    ])
  })

  test('what was put under a pin stays however short the grace, until the pin is released', async () => {
    const pin = await store().pin()
    const { hash } = await store().put(randomBytes(100))
    await fixture().another().sweep(none, { graceMs: 0 })
    expect(await store().stat(hash)).toBeDefined()
    await pin.release()
    await fixture().ageAll()
    await store().sweep(none, { graceMs: 0 })
    expect(await store().stat(hash)).toBeUndefined()
  })

  test('writers that use old blobs again while sweeps go on lose none', async () => {
    const contents = Array.from({ length: 12 }, () => randomBytes(300))
    for (let round = 0; round < 2; round++) {
      for (const content of contents) await store().put(content)
      await fixture().ageAll()
      const sweeper = fixture().another()
      const sweeps = Array.from({ length: 3 }, () => sweeper.sweep(none, { graceMs: fixture().graceMs }))
      const pin = await store().pin()
      await Promise.all(contents.map((content) => store().put(content)))
      await Promise.all(sweeps)
      for (const content of contents) expect(await store().read(sum(content))).toEqual(content)
      await pin.release()
      await sweeper.close()
    }
  })
}

function sum(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
