import { randomBytes } from 'node:crypto'
import { newFid } from '@koco/core'
import { describe, expect, test } from 'vitest'
import type { FileStore } from '../files/port.ts'

/** Paths that are none: each tries to leave the folder of the run, or to hide in it. */
export const ESCAPES: readonly string[] = [
  '',
  'out',
  'out/',
  'report.md',
  '../secret',
  'out/../../secret',
  'out/..',
  'out/./x',
  'out//x',
  '/etc/passwd',
  'C:/secret',
  'c:secret',
  String.raw`out\..\..\secret`,
  String.raw`..\secret`,
  'out/a\0.md',
  'out/a\n.md',
  'out/.hidden',
  'out/.../x',
  'out/.part/x',
  'tmp/x',
  'OUT/x',
  `out/${'x'.repeat(256)}`,
  `out/${'x/'.repeat(600)}x`,
  'out/\uD800',
]

/** What a contract needs of an adapter: the files of runs, and a new run's id. */
export type FileStoreUnderTest = { readonly store: FileStore; newRun(): Promise<string> }

/** A fid that no run has. */
export function freshFid(): string {
  return newFid(Date.now(), randomBytes(8))
}

/** The contract of what keeps the files of runs: what each adapter must do. `under` is asked in each test. */
export function describeFileStore(name: string, under: () => FileStoreUnderTest): void {
  describe(`file store contract: ${name}`, () => {
    const textOf = async (store: FileStore, fid: string, path: string) => {
      const chunks: Buffer[] = []
      for await (const chunk of (await store.open(fid, path)).content) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks).toString()
    }

    test('what is written is listed with size and type, and read back; a new run has nothing', async () => {
      const { store, newRun } = under()
      const fid = await newRun()
      expect(await store.list(fid)).toEqual([])
      expect(await store.write(fid, 'out/a/report.md', '# Grüße')).toMatchObject({ path: 'out/a/report.md', size: 9, type: 'text/markdown' })
      await store.write(fid, 'out/100 %.bin', Buffer.alloc(300_000, 7))
      await store.write(fid, 'out/empty', '')
      expect((await store.list(fid)).map(({ path, size }) => [path, size])).toEqual([
        ['out/100 %.bin', 300_000],
        ['out/a/report.md', 9],
        ['out/empty', 0],
      ])
      expect(await store.list(fid, 'in')).toEqual([])
      expect(await textOf(store, fid, 'out/a/report.md')).toBe('# Grüße')
      expect(await textOf(store, fid, 'out/empty')).toBe('')
      const { file, content } = await store.open(fid, 'out/100 %.bin')
      content.destroy()
      expect(file).toMatchObject({ path: 'out/100 %.bin', size: 300_000, type: 'application/octet-stream' })
      expect(Math.abs(file.modifiedAt - Date.now() / 1000)).toBeLessThan(60)
    })

    test('a stream is written whole or not at all; the old content stays when it breaks', async () => {
      const { store, newRun } = under()
      const fid = await newRun()
      async function* pieces(broken: boolean) {
        yield 'one, '
        yield Buffer.from('two')
        if (broken) throw new Error('the source broke')
      }
      await store.write(fid, 'out/list.txt', pieces(false))
      await expect(store.write(fid, 'out/list.txt', pieces(true))).rejects.toThrow('the source broke')
      await expect(store.write(fid, 'out/other.txt', pieces(true))).rejects.toThrow('the source broke')
      expect(await textOf(store, fid, 'out/list.txt')).toBe('one, two')
      expect((await store.list(fid)).map(({ path }) => path)).toEqual(['out/list.txt'])
    })

    test('every path that is none is refused, for reading and for writing; so is what is not there', async () => {
      const { store, newRun } = under()
      const fid = await newRun()
      for (const path of ESCAPES) {
        await expect(store.write(fid, path, 'x'), path).rejects.toMatchObject({ code: 'bad_path' })
        await expect(store.open(fid, path), path).rejects.toMatchObject({ code: 'bad_path' })
      }
      await expect(store.open(fid, 'out/nothing')).rejects.toMatchObject({ code: 'unknown_file' })
      await expect(store.open(fid, 'out/%2e%2e/x')).rejects.toMatchObject({ code: 'unknown_file' })
      await expect(store.write(fid, 'in/given.txt', 'x')).rejects.toMatchObject({ code: 'read_only' })
      expect(await store.list(fid)).toEqual([])
    })
  })
}
