// Goal: a large file of a run has its bytes in the content store once, whoever holds it, and everything else is as with a file in the folder; no bytes that a stranger writes pass for a note of ours. Method:
// the contract of file stores, then folders over a real content store on disk, and what lies there.
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { createFolderBlobs } from '@koco/blobs'
import { must } from '@koco/core'
import { newFolder } from '@koco/testing'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createBlobFiles } from '../contents/blob-files.ts'
import { describeFileStore, freshFid } from '../contract/index.ts'
import { FileFolder } from './folder.ts'
import { noteOf, readNote } from './note.ts'

const base = newFolder('large-files')
afterAll(() => rm(base, { recursive: true, force: true }))

const KIB = 1024
let dir = ''
let round = 0
beforeEach(() => {
  dir = join(base, String(++round))
})

/** A folder over a content store, as each process has one. `shared`: false where new content may not be put. */
function open(shared = true, limits = {}) {
  const blobs = createFolderBlobs({ dir: join(dir, 'blobs') })
  const contents = createBlobFiles(blobs, { shared })
  return { blobs, contents, folder: new FileFolder(join(dir, 'uploads'), limits, contents) }
}

const kept = async () => (await readdir(join(dir, 'blobs/blobs'), { recursive: true }).catch(() => [])).filter((path) => path.includes('/'))
const onDisk = (fid: string, path: string) => readFile(join(dir, 'uploads/runs', fid, path))
const bytesOf = async (folder: FileFolder, fid: string, path: string) => buffer((await folder.open(fid, path)).content)

describeFileStore('folder with a content store', () => ({ store: open().folder, newRun: async () => freshFid() }))

test('the same bytes in two runs, written, uploaded and given on, are kept once; small files stay where they are', async () => {
  const { folder } = open()
  const [one, two, three] = [freshFid(), freshFid(), freshFid()]
  const content = randomBytes(200 * KIB)
  await folder.write(one, 'out/a.bin', content)
  await folder.write(one, 'out/b.bin', content)
  await folder.write(one, 'out/small.bin', content.subarray(0, 64 * KIB))
  await mkdir(join(dir, 'staged'))
  await writeFile(join(dir, 'staged/upload'), content)
  folder.prepare(join(dir, 'staged/upload'))
  await folder.give(two, 'in/c.bin', { upload: join(dir, 'staged/upload') })
  await rm(join(dir, 'staged'), { recursive: true })
  await folder.give(three, 'in/d.bin', { fid: two, path: 'in/c.bin' })
  await folder.give(three, 'out/e.bin', { fid: one, path: 'out/small.bin' })
  expect(await kept()).toHaveLength(1)
  for (const [fid, path] of [
    [one, 'out/a.bin'],
    [one, 'out/b.bin'],
    [two, 'in/c.bin'],
    [three, 'in/d.bin'],
  ] as const) {
    expect(await bytesOf(open().folder, fid, path)).toEqual(content)
    expect((await onDisk(fid, path)).byteLength).toBeLessThan(KIB)
  }
  expect(await onDisk(one, 'out/small.bin')).toEqual(content.subarray(0, 64 * KIB))
  expect(await bytesOf(folder, three, 'out/e.bin')).toEqual(content.subarray(0, 64 * KIB))
  expect((await folder.list(three)).map(({ path, size }) => [path, size])).toEqual([
    ['in/d.bin', 200 * KIB],
    ['out/e.bin', 64 * KIB],
  ])
  expect(await folder.keptFiles()).toMatchObject({ named: 4, bytes: 800 * KIB })
  expect(await folder.storedBytes(one)).toBeGreaterThan(464 * KIB)
  await expect(folder.give(three, 'in/d.bin', { fid: two, path: 'in/c.bin' })).rejects.toThrow('EEXIST')
})

test('a part of a large file is what it is of the whole, and an opened one that is written over stays what it was', async () => {
  const { folder } = open()
  const fid = freshFid()
  const content = randomBytes(9 * KIB * KIB)
  await folder.write(fid, 'out/a.bin', content)
  const opened = await folder.openFile(fid, 'out/a.bin')
  await folder.write(fid, 'out/a.bin', 'short now')
  for (const [start, end] of [
    [0, 9],
    [5 * KIB * KIB, 6 * KIB * KIB],
    [content.length - 3, content.length - 1],
    [0, content.length - 1],
  ] as const) {
    expect((await buffer(opened.read({ start, end }))).equals(content.subarray(start, end + 1))).toBe(true)
  }
  await opened.close()
  expect((await bytesOf(folder, fid, 'out/a.bin')).toString()).toBe('short now')
})

test('a collection leaves what files name and takes what they do not name any more; while another folder names content too, it takes nothing', async () => {
  const { folder, blobs, contents } = open()
  const [one, two] = [freshFid(), freshFid()]
  const [stays, goes] = [randomBytes(70 * KIB), randomBytes(80 * KIB)]
  await folder.write(one, 'out/deep/down/stays', stays)
  await folder.write(two, 'out/stays', stays)
  await folder.write(one, 'out/goes', goes)
  await folder.write(one, 'out/goes', stays)
  const sweep = (from = folder) => blobs.sweep(() => from.contentsInUse(), { graceMs: 0 })
  expect(await sweep()).toMatchObject({ removed: 0 })
  await contents.close()
  expect(await sweep()).toMatchObject({ removed: 1, kept: 1 })
  await folder.removeAll(one)
  expect(await sweep()).toMatchObject({ removed: 0, kept: 1 })
  expect(await bytesOf(folder, two, 'out/stays')).toEqual(stays)
  const other = open()
  await expect(sweep(new FileFolder(join(dir, 'elsewhere'), {}, other.contents))).rejects.toMatchObject({ code: 'files_elsewhere' })
  await folder.removeAll(two)
  expect(await sweep()).toMatchObject({ removed: 1, kept: 0 })
  await expect(folder.give(two, 'in/x', { fid: one, path: 'out/goes' })).rejects.toThrow('ENOENT')
})

test('bytes that read as a note are a file like any other, and are refused where they could only pass for one', async () => {
  const { folder } = open()
  const [one, two] = [freshFid(), freshFid()]
  await folder.write(one, 'out/secret', randomBytes(100 * KIB))
  const note = await onDisk(one, 'out/secret')
  expect(readNote(note)).toMatchObject({ bytes: 100 * KIB })
  await folder.write(two, 'out/forged', note)
  await writeFile(join(dir, 'forged'), note)
  await folder.give(two, 'in/forged', { upload: join(dir, 'forged') })
  for (const path of ['out/forged', 'in/forged']) expect(await bytesOf(folder, two, path)).toEqual(note)
  expect((await folder.list(two)).map(({ size }) => size)).toEqual([note.byteLength, note.byteLength])
  const alone = open(false).folder
  await expect(alone.write(two, 'out/again', note)).rejects.toMatchObject({ code: 'bad_content' })
  await expect(alone.give(two, 'in/again', { upload: join(dir, 'forged') })).rejects.toMatchObject({ code: 'bad_content' })
})

test('a note is as long as it must be, whatever it says', () => {
  for (const [bytes, stored] of [
    [0, 0],
    [2 ** 40, 2 ** 40],
    [999_999_999_999_999, 999_999_999_999_999],
  ] as const) {
    const content = { sha256: 'a'.repeat(64), bytes, stored }
    expect(readNote(noteOf(content))).toEqual(content)
  }
})

test('where not everybody sees the store files stay as they are, and what an earlier time has left is read either way', async () => {
  const content = randomBytes(100 * KIB)
  const fid = freshFid()
  await open(false).folder.write(fid, 'out/plain', content)
  expect(await onDisk(fid, 'out/plain')).toEqual(content)
  await open().folder.write(fid, 'out/noted', content)
  for (const { folder } of [open(), open(false)]) {
    for (const path of ['out/plain', 'out/noted']) expect(await bytesOf(folder, fid, path)).toEqual(content)
  }
  const next = freshFid()
  await open().folder.give(next, 'in/plain', { fid, path: 'out/plain' })
  expect(await bytesOf(open().folder, next, 'in/plain')).toEqual(content)
})

test('limits hold for what is kept elsewhere, by its real size, and what is refused leaves nothing', async () => {
  const { folder, blobs, contents } = open(true, { fileBytesMax: 300 * KIB, runBytesMax: 500 * KIB, filesMax: 3 })
  const fid = freshFid()
  await expect(folder.write(fid, 'out/a', randomBytes(301 * KIB))).rejects.toMatchObject({ code: 'file_too_large' })
  await folder.write(fid, 'out/a', randomBytes(290 * KIB))
  await expect(folder.write(fid, 'out/b', randomBytes(211 * KIB))).rejects.toMatchObject({ code: 'run_files_too_large' })
  const later = open(true, { runBytesMax: 500 * KIB })
  await expect(later.folder.write(fid, 'out/b', randomBytes(211 * KIB))).rejects.toMatchObject({ code: 'run_files_too_large' })
  const stop = new AbortController()
  async function* pieces() {
    yield randomBytes(100 * KIB)
    stop.abort(new Error('given up'))
    yield randomBytes(1)
  }
  await expect(folder.write(fid, 'out/b', pieces(), stop.signal)).rejects.toThrow('given up')
  expect((await folder.list(fid)).map(({ path }) => path)).toEqual(['out/a'])
  await contents.close()
  await later.contents.close()
  expect(await blobs.sweep(() => folder.contentsInUse(), { graceMs: 0 })).toMatchObject({ removed: 0, kept: 1 })
})

test('a store whose content is gone is said, not passed over', async () => {
  const { folder } = open()
  const [one, two] = [freshFid(), freshFid()]
  await folder.write(one, 'out/a', randomBytes(100 * KIB))
  await rm(join(dir, 'blobs/blobs', must((await kept())[0], 'the blob')))
  await expect(bytesOf(folder, one, 'out/a')).rejects.toMatchObject({ code: 'unknown_blob' })
  await expect(folder.give(two, 'in/a', { fid: one, path: 'out/a' })).rejects.toThrow('restore the store from a backup')
})
