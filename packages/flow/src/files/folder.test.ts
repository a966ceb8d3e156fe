// Goal: the folder of a run is a cage: nothing is read or written outside, whatever names or links stand in it, and its limits hold. Method: the contract, then links and limits on a real disk; names
// by property.
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newFolder } from '@koco/testing'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeFileStore, ESCAPES, freshFid } from '../contract/index.ts'
import { createMemoryFiles } from '../testing/memory-files.ts'
import { FileFolder } from './folder.ts'
import { cleanPath, safePath, sidedPath } from './path.ts'

const dir = newFolder('run-files')
afterAll(() => rm(dir, { recursive: true, force: true }))

describeFileStore('folder', () => ({ store: new FileFolder(join(dir, 'contract')), newRun: async () => freshFid() }))
describeFileStore('memory', () => ({ store: createMemoryFiles({}, Date.now).store, newRun: async () => freshFid() }))

const small = () => new FileFolder(join(dir, 'small'), { fileBytesMax: 10, runBytesMax: 25, filesMax: 3 })

test('symbolic links lead nowhere: not to a file, not through a folder, not for writing', async () => {
  const folder = new FileFolder(join(dir, 'links'))
  const fid = freshFid()
  const outside = join(dir, 'outside')
  await mkdir(outside)
  await writeFile(join(outside, 'secret.txt'), 'secret')
  await folder.write(fid, 'out/plain.txt', 'plain')
  const out = join(dir, 'links/runs', fid, 'out')
  await symlink(join(outside, 'secret.txt'), join(out, 'file.txt'))
  await symlink(outside, join(out, 'folder'))
  await symlink(join(out, 'plain.txt'), join(out, 'inner.txt'))
  for (const path of ['out/file.txt', 'out/folder/secret.txt', 'out/inner.txt', 'out/folder']) {
    await expect(folder.open(fid, path), path).rejects.toMatchObject({ code: 'unknown_file' })
  }
  await expect(folder.write(fid, 'out/folder/new.txt', 'x')).rejects.toMatchObject({ code: 'bad_path' })
  expect((await folder.list(fid)).map(({ path }) => path)).toEqual(['out/plain.txt'])
  // Written over or taken away is the link, not what it leads to.
  await folder.write(fid, 'out/file.txt', 'mine')
  await folder.remove(fid, 'out/inner.txt')
  expect(await folder.remove(fid, 'out/folder/secret.txt')).toBe(false)
  expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe('secret')
  expect(await readFile(join(out, 'plain.txt'), 'utf8')).toBe('plain')
  expect(await readdir(outside)).toEqual(['secret.txt'])
})

test('a run whose own folder is a link has no files', async () => {
  const folder = new FileFolder(join(dir, 'linked-run'))
  const fid = freshFid()
  const other = freshFid()
  await folder.write(other, 'out/a.txt', 'a')
  await symlink(join(dir, 'linked-run/runs', other), join(dir, 'linked-run/runs', fid))
  expect(await folder.list(fid)).toEqual([])
  await expect(folder.open(fid, 'out/a.txt')).rejects.toMatchObject({ code: 'unknown_file' })
  await expect(folder.list('../../etc')).rejects.toMatchObject({ code: 'bad_path' })
})

test('a file, the files of a run, and how many they are, are limited, each with one sentence; what was refused leaves nothing behind', async () => {
  const folder = small()
  const fid = freshFid()
  await expect(folder.write(fid, 'out/a', '12345678901')).rejects.toThrow('"out/a" is too large: a file may have 10 bytes here (KODO_UPLOAD_FILE_MAX).')
  for (const name of ['a', 'b']) await folder.write(fid, `out/${name}`, '1234567890')
  await expect(folder.write(fid, 'out/c', '123456')).rejects.toThrow('those of a run may have 25 bytes here (KODO_UPLOAD_RUN_MAX).')
  // What is written over counts no more; a process that comes later counts what lies there.
  await folder.write(fid, 'out/a', '1')
  await small().write(fid, 'out/c', '123456')
  await expect(small().write(fid, 'out/d', '')).rejects.toMatchObject({ code: 'too_many_files' })
  expect(await readdir(join(dir, 'small/runs', fid, '.part'))).toEqual([])
})

test('a write that is given up, or meets a folder, leaves nothing behind', async () => {
  const folder = new FileFolder(join(dir, 'given-up'))
  const fid = freshFid()
  const stop = new AbortController()
  async function* pieces() {
    yield 'a'
    stop.abort(new Error('given up'))
    yield 'b'
  }
  await expect(folder.write(fid, 'out/a', pieces(), stop.signal)).rejects.toThrow('given up')
  await folder.write(fid, 'out/dir/file', 'x')
  await expect(folder.write(fid, 'out/dir', 'x')).rejects.toMatchObject({ code: 'bad_path' })
  await expect(folder.write(fid, 'out/dir/file/below', 'x')).rejects.toMatchObject({ code: 'bad_path' })
  expect(await readdir(join(dir, 'given-up/runs', fid, '.part'))).toEqual([])
})

test('whatever name a stranger gives becomes a safe path, and safe paths stay as they are', () => {
  const nasty = fc.string({ unit: fc.constantFrom('.', '/', '\\', '\0', ' ', 'a', 'é', '😀', 'C:', '..', '\u202E', '\uD800'), maxLength: 40 })
  fc.assert(
    fc.property(fc.oneof(nasty, fc.string(), fc.constantFrom(...ESCAPES), fc.string({ minLength: 300, maxLength: 2000 })), (name) => {
      const path = cleanPath(name)
      expect(safePath(path)).toBe(path)
      expect(sidedPath(`in/${path}`).side).toBe('in')
    }),
  )
  expect(cleanPath('Bericht 2026 (1).pdf')).toBe('Bericht 2026 (1).pdf')
  expect(cleanPath(String.raw`C:\Users\ann\..\x.csv`)).toBe('Users/ann/x.csv')
  expect(cleanPath('../../.ssh/id')).toBe('ssh/id')
  expect(cleanPath(`${'ü'.repeat(300)}.pdf`)).toMatch(/ü\.pdf$/)
})
