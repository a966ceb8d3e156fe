// Goal: a folder that may be used has its name on disk. Method: real folders, and syncs that note what was there when they began.
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeFolder, makeFolders } from './durable.ts'

let dir = ''
beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'koco-durable-'))))
afterEach(() => rm(dir, { recursive: true }))

/** What was in a folder when its last sync began. */
function setup() {
  const synced = new Map<string, readonly string[]>()
  const sync = async (path: string): Promise<void> => {
    await Promise.resolve(synced.set(path, readdirSync(path)))
  }
  return { synced, sync }
}

test('each name on the way is synced in the folder that holds it', async () => {
  const { synced, sync } = setup()
  await makeFolder(join(dir, 'a', 'b'), sync)
  expect([synced.get(dir), synced.get(join(dir, 'a'))]).toEqual([['a'], ['b']])
})

test('a folder that somebody else has just made is synced all the same', async () => {
  await makeFolder(join(dir, 'a'))
  const { synced, sync } = setup()
  await makeFolder(join(dir, 'a'), sync)
  expect(synced.get(dir)).toEqual(['a'])
})

test('folders in a folder share one sync, which begins when all are there, also those that were before', async () => {
  await makeFolder(join(dir, 'a', '1'))
  const { synced, sync } = setup()
  await makeFolders(join(dir, 'a'), ['0', '1', '2'], sync)
  expect([synced.get(dir), synced.get(join(dir, 'a'))]).toEqual([['a'], ['0', '1', '2']])
})

test('one that cannot be made fails, and nobody is told that they last', async () => {
  const { synced, sync } = setup()
  await expect(makeFolders(join(dir, 'a'), ['0', 'no\0name'], sync)).rejects.toThrow('null bytes')
  expect([existsSync(join(dir, 'a')), synced.get(join(dir, 'a'))]).toEqual([true, undefined])
})
