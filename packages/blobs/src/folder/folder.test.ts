// Goal: a folder keeps every rule of the content store. Method: the contract suite on a throw-away folder; then what only a folder can do: leftovers, and a sweep that died between two steps.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, open, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeBlobStore, type BlobFixture } from '../contract/describe-blob-store.ts'
import type { BlobStore } from '../port.ts'
import { createFolderBlobs } from './folder.ts'

const LONG_AGO = new Date('2020-01-01')

async function openFixture(): Promise<BlobFixture & { dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'koco-blobs-'))
  return {
    dir,
    store: createFolderBlobs({ dir }),
    graceMs: 60_000,
    another: () => createFolderBlobs({ dir }),
    async damage(hash) {
      const handle = await open(join(dir, 'blobs', hash.slice(0, 2), hash), 'r+')
      const at = Math.floor((await handle.stat()).size * 0.7)
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at)
      buffer[0] = (buffer[0] ?? 0) ^ 0xff
      await handle.write(buffer, 0, 1, at)
      await handle.close()
    },
    ageAll: () => age(dir),
    dispose: () => rm(dir, { recursive: true }),
  }
}

async function age(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), LONG_AGO, LONG_AGO)
  }
}

describeBlobStore('blobs in a folder', openFixture)

let fixture: Awaited<ReturnType<typeof openFixture>>
let store: BlobStore
beforeEach(async () => {
  fixture = await openFixture()
  store = fixture.store
})
afterEach(() => fixture.dispose())

test('blobs lie in folders by their first digits, and nothing else is left', async () => {
  const { hash } = await store.put(randomBytes(10))
  expect(await readdir(join(fixture.dir, 'blobs', hash.slice(0, 2)))).toEqual([hash])
  expect(await readdir(join(fixture.dir, 'tmp'))).toEqual([])
})

test('the folders of all blobs are there before the first one is, also where some of them were made by a process that died', async () => {
  await mkdir(join(fixture.dir, 'blobs', '07'), { recursive: true })
  const { hash } = await store.put(randomBytes(10))
  const folders = await readdir(join(fixture.dir, 'blobs'))
  expect([folders.length, folders.includes('00'), folders.includes('ff')]).toEqual([256, true, true])
  expect(await createFolderBlobs({ dir: fixture.dir }).read(hash)).toHaveLength(10)
})

test('a blob that a dead sweep had taken away is read, used again, and comes back', async () => {
  const content = randomBytes(200)
  const { hash } = await store.put(content)
  const [path, trash] = [join(fixture.dir, 'blobs', hash.slice(0, 2), hash), join(fixture.dir, 'trash')]
  await mkdir(trash)
  await rename(path, join(trash, hash))
  expect(await store.read(hash)).toEqual(content)
  expect(await store.sweep(() => Promise.resolve(new Set([hash])), { graceMs: 0 })).toMatchObject({ removed: 0, kept: 1 })
  expect(await readdir(trash)).toEqual([])
  expect(await store.read(hash)).toEqual(content)
})

test('a sweep takes what dead writers left away', async () => {
  await store.put(randomBytes(10))
  await writeFile(join(fixture.dir, 'tmp', 'half'), 'half a blob')
  await mkdir(join(fixture.dir, 'pins'), { recursive: true })
  await writeFile(join(fixture.dir, 'pins', '1577836800000-dead'), '')
  await age(fixture.dir)
  expect(await store.sweep(() => Promise.resolve(new Set()), { graceMs: 0 })).toMatchObject({ removed: 1, kept: 0 })
  expect([await readdir(join(fixture.dir, 'tmp')), await readdir(join(fixture.dir, 'pins'))]).toEqual([[], []])
})

test('a place that cannot be used says what to do', async () => {
  const file = join(fixture.dir, 'file')
  await writeFile(file, 'in the way')
  await expect(createFolderBlobs({ dir: join(file, 'below') }).put(randomBytes(1))).rejects.toMatchObject({ code: 'blobs_unavailable' })
})
