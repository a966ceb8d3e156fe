// Goal: what tests leave behind is found, and goes all the same. Method: a folder of a run with leftovers of ours and of a tool's, and one whose leftover goes by itself.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from './temporary.ts'

test('leftovers of ours are named; everything is removed', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder.path, 'koco-store-1'))
  writeFileSync(join(folder.path, 'npm-cache'), '')
  expect(await folder.close(0)).toEqual(['koco-store-1'])
  expect(existsSync(folder.path)).toBe(false)
})

test('what goes a moment later was not left', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder.path, 'koco-redis-1'))
  const closed = folder.close()
  rmSync(join(folder.path, 'koco-redis-1'), { recursive: true })
  expect(await closed).toEqual([])
})
