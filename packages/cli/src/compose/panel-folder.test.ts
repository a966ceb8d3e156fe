// Goal: a worker whose folder is not the panel's says so before anything is lost, and works as soon as it is. Method: real folders; the panel's marked by a whole installation for Temporal is left to the tests that have one.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFolderBlobs } from '@koco/blobs'
import { createBlobContents, FileFolder } from '@koco/flow'
import { newFolder } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contentsInPanelFolder, filesInPanelFolder, isMarked, markFolder } from './panel-folder.ts'

const FID = '67c1a2f4aabbccddeeff0011'
let dir: string
beforeEach(() => (dir = newFolder('panel-folder')))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('files are neither written nor missed in a folder of another host', async () => {
  const files = filesInPanelFolder(new FileFolder(dir), dir)
  const elsewhere = { code: 'files_elsewhere', message: expect.stringContaining('KODO_FILES=panel') as unknown }
  await expect(files.write(FID, 'out/a.txt', 'a')).rejects.toMatchObject(elsewhere)
  await expect(files.list(FID)).rejects.toMatchObject(elsewhere)
  await expect(files.open(FID, 'in/a.txt')).rejects.toMatchObject(elsewhere)
  expect(readdirSync(dir)).toEqual([])
  await markFolder(dir)
  await files.write(FID, 'out/a.txt', 'a')
  expect((await files.list(FID)).map(({ path }) => path)).toEqual(['out/a.txt'])
  expect((await files.open(FID, 'out/a.txt')).file.size).toBe(1)
})

test('large results are not kept in a content store of another host, but those of the panel are read', async () => {
  const blobs = createFolderBlobs({ dir })
  const plain = createBlobContents(blobs, { shared: true })
  const contents = contentsInPanelFolder(plain, dir)
  try {
    await expect(contents.keep('x'.repeat(100_000))).rejects.toMatchObject({
      code: 'contents_elsewhere',
      message: expect.stringContaining('KODO_BLOB_STORE') as unknown,
    })
    await markFolder(dir)
    const kept = await contents.keep('x'.repeat(100_000))
    expect(await contents.read(kept?.content ?? { sha256: '', bytes: 0, stored: 0 })).toHaveLength(100_000)
    kept?.named()
  } finally {
    await contents.close()
    await blobs.close()
  }
})

test('a folder is made and marked, again too; one that cannot be written is refused with the remedy', async () => {
  const folder = join(dir, 'a/b')
  expect(isMarked(folder)).toBe(false)
  await markFolder(folder)
  await markFolder(folder)
  expect(isMarked(folder)).toBe(true)
  mkdirSync(join(dir, 'c'))
  writeFileSync(join(dir, 'c/file'), '')
  await expect(markFolder(join(dir, 'c/file'))).rejects.toMatchObject({
    code: 'bad_folder',
    message: expect.stringContaining('name another folder') as unknown,
  })
})
