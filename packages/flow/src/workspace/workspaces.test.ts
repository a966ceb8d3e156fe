// Goal: a workspace is a cage with limits that hold for writers side by side, whatever names, links and programs do in it. Method: a real disk; the paths that escape; names by property.
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newFolder } from '@koco/testing'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { ESCAPES } from '../contract/index.ts'
import type { WorkspaceKey } from './port.ts'
import { Workspaces } from './workspaces.ts'

const dir = newFolder('workspaces')
afterAll(() => rm(dir, { recursive: true, force: true }))

let sessions = 0
const newKey = (user = 'ann'): WorkspaceKey => ({ user, session: (++sessions).toString(16).padStart(12, '0') })
const workspaces = new Workspaces(dir)
const small = new Workspaces(dir, { fileBytesMax: 10, bytesMax: 25, filesMax: 4 })

test('what is written is listed with size and type, read back, written over and taken away; each session of each user has its own', async () => {
  const key = newKey()
  expect(await workspaces.list(key)).toEqual([])
  expect(await workspaces.write(key, 'src/main.py', 'print("Grüße")')).toMatchObject({ path: 'src/main.py', size: 16 })
  await workspaces.write(key, 'run.sh', '#!/bin/sh\nrm -rf "$HOME"\n')
  await workspaces.write(key, 'empty.exe', '')
  await workspaces.write(key, 'src/main.py', 'pass')
  expect((await workspaces.list(key)).map(({ path, size }) => [path, size])).toEqual([
    ['empty.exe', 0],
    ['run.sh', 25],
    ['src/main.py', 4],
  ])
  expect((await workspaces.read(key, 'src/main.py')).toString()).toBe('pass')
  expect((await workspaces.read(key, 'empty.exe')).byteLength).toBe(0)
  expect(await workspaces.use(key)).toEqual({ files: 3, bytes: 29 })
  for (const other of [newKey(), { ...key, user: 'bob' }]) {
    expect(await workspaces.list(other)).toEqual([])
    await expect(workspaces.read(other, 'run.sh')).rejects.toMatchObject({ code: 'unknown_file' })
  }
  expect(await workspaces.remove(key, 'run.sh')).toBe(true)
  expect(await workspaces.remove(key, 'run.sh')).toBe(false)
  expect(await workspaces.folder(key)).toBe(join(dir, 'ann', key.session))
  await workspaces.removeAll(key)
  expect(await workspaces.list(key)).toEqual([])
})

test('every path that leads out or hides, and every name of no user or session, is refused in every call', async () => {
  const key = newKey()
  const paths = ESCAPES.filter((path) => !['out', 'report.md', 'tmp/x', 'OUT/x'].includes(path))
  for (const path of [...paths, '..', '.', '.env', 'a/.git/config', '~/../x']) {
    await expect(workspaces.write(key, path, 'x'), path).rejects.toMatchObject({ code: 'bad_path' })
    await expect(workspaces.read(key, path), path).rejects.toMatchObject({ code: 'bad_path' })
    await expect(workspaces.remove(key, path), path).rejects.toMatchObject({ code: 'bad_path' })
  }
  for (const bad of [
    { ...key, user: '..' },
    { ...key, user: '' },
    { ...key, user: 'a/b' },
    { ...key, session: '../../../etc' },
    { ...key, session: '' },
  ]) {
    await expect(workspaces.list(bad)).rejects.toMatchObject({ code: 'bad_path' })
    await expect(workspaces.write(bad, 'x', 'x')).rejects.toMatchObject({ code: 'bad_path' })
    await expect(workspaces.removeAll(bad)).rejects.toMatchObject({ code: 'bad_path' })
  }
  expect(await workspaces.list(key)).toEqual([])
})

test('whatever text is given as a path, it is refused, or lies below the workspace', async () => {
  const key = newKey()
  const below = join(dir, 'ann', key.session)
  const nasty = fc.string({ unit: fc.constantFrom('.', '/', '\\', '\0', ' ', 'a', 'é', '😀', 'C:', '..', '\u202E', '%2e'), minLength: 1, maxLength: 12 })
  const before = await readdir(dir, { recursive: true })
  await fc.assert(
    fc.asyncProperty(nasty, async (path) => {
      const outcome = await workspaces.write(key, path, 'x').catch((error: unknown) => error)
      if (!(outcome instanceof Error)) expect((await readFile(join(below, (outcome as { path: string }).path))).toString()).toBe('x')
    }),
    { numRuns: 150 },
  )
  const outside = (await readdir(dir, { recursive: true })).filter((path) => !path.startsWith(`ann/${key.session}`))
  expect(outside.toSorted()).toEqual([...before, '.part'].filter((path, index, all) => all.indexOf(path) === index).toSorted())
})

test('links lead nowhere: not to a file, not through a folder, not for writing, not as the workspace itself', async () => {
  const key = newKey()
  const outside = join(dir, 'outside')
  await mkdir(outside)
  await writeFile(join(outside, 'secret.txt'), 'secret')
  const folder = await workspaces.folder(key)
  await symlink(join(outside, 'secret.txt'), join(folder, 'file.txt'))
  await symlink(outside, join(folder, 'folder'))
  for (const path of ['file.txt', 'folder/secret.txt', 'folder']) await expect(workspaces.read(key, path), path).rejects.toMatchObject({ code: 'unknown_file' })
  for (const path of ['file.txt', 'folder/new.txt', 'folder']) await expect(workspaces.write(key, path, 'x'), path).rejects.toMatchObject({ code: 'bad_path' })
  expect(await workspaces.list(key)).toEqual([])
  expect(await workspaces.remove(key, 'folder/secret.txt')).toBe(false)
  expect(await workspaces.remove(key, 'file.txt')).toBe(true)
  const linked = newKey()
  await symlink(outside, join(dir, 'ann', linked.session))
  expect(await workspaces.list(linked)).toEqual([])
  await expect(workspaces.read(linked, 'secret.txt')).rejects.toMatchObject({ code: 'unknown_file' })
  await expect(workspaces.write(linked, 'x', 'x')).rejects.toMatchObject({ code: 'bad_path' })
  expect(await readdir(outside)).toEqual(['secret.txt'])
})

test('a file, a workspace and the number of files are limited, for writers side by side and with what a program left there', async () => {
  const key = newKey()
  await expect(small.write(key, 'a', '12345678901')).rejects.toThrow('"a" is too large: a file of a workspace may have 10 bytes.')
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => small.write(key, name, '1234567890')))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
  expect(await small.use(key)).toEqual({ files: 2, bytes: 20 })
  // What is written over makes room; hidden files of a program take it.
  const [first = ''] = (await small.list(key)).map(({ path }) => path)
  await small.write(key, first, '1')
  await writeFile(join(await small.folder(key), '.cache'), '12345')
  await expect(small.write(key, 'g', '1234567890')).rejects.toMatchObject({ code: 'workspace_full' })
  await small.write(key, 'g', '123456789')
  await expect(small.write(key, 'h', '')).rejects.toMatchObject({ code: 'too_many_files' })
  await writeFile(join(await small.folder(key), 'large'), '12345678901')
  await expect(small.read(key, 'large')).rejects.toMatchObject({ code: 'file_too_large' })
  expect(await readdir(join(dir, '.part'))).toEqual([])
})

test('the usual limits are 10 MB a file and 100 MB a workspace, to the byte', async () => {
  const key = newKey()
  const whole = Buffer.alloc(workspaces.limits.fileBytesMax)
  expect(whole.byteLength).toBe(10 * 1024 * 1024)
  await expect(workspaces.write(key, 'large', Buffer.alloc(whole.byteLength + 1))).rejects.toMatchObject({ code: 'file_too_large' })
  for (let file = 0; file < 10; file++) await workspaces.write(key, `file-${file}`, whole)
  await expect(workspaces.write(key, 'one-more', 'x')).rejects.toMatchObject({ code: 'workspace_full' })
  await workspaces.removeAll(key)
})

test('a write is whole or not at all, and what a dead process left behind goes', async () => {
  const key = newKey()
  await workspaces.write(key, 'list.txt', 'old')
  async function* pieces() {
    yield 'new '
    expect((await workspaces.read(key, 'list.txt')).toString()).toBe('old')
    throw new Error('the source broke')
  }
  await expect(workspaces.write(key, 'list.txt', pieces())).rejects.toThrow('the source broke')
  await expect(workspaces.write(key, 'list.txt', 'x', AbortSignal.abort(new Error('given up')))).rejects.toThrow('given up')
  expect((await workspaces.read(key, 'list.txt')).toString()).toBe('old')
  expect(await readdir(join(dir, '.part'))).toEqual([])
  for (const name of ['dead', 'living']) await writeFile(join(dir, '.part', name), 'x')
  await utimes(join(dir, '.part/dead'), 0, 0)
  await new Workspaces(dir).write(key, 'list.txt', 'newer')
  expect(await readdir(join(dir, '.part'))).toEqual(['living'])
  await rm(join(dir, '.part/living'))
})
