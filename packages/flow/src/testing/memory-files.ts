import { Readable } from 'node:stream'
import { RefusedError } from '@koco/core'
import { chunksOf } from '../files/write-whole.ts'
import { mediaType } from '../files/media-type.ts'
import { sidedPath } from '../files/path.ts'
import type { FileStore, RunFile } from '../files/port.ts'
import { unknownFile } from '../files/safe-folder.ts'

/** The files of one test run, in memory; `now` gives the time of writing in ms. */
export function createMemoryFiles(
  given: Readonly<Record<string, string | Uint8Array>>,
  now: () => number,
): { readonly store: FileStore; readonly written: () => Readonly<Record<string, Uint8Array>> } {
  const held = new Map<string, { readonly bytes: Buffer; readonly at: number }>()
  for (const [path, content] of Object.entries(given)) held.set(sidedPath(path).path, { bytes: Buffer.from(content), at: now() / 1000 })
  const describe = (path: string, { bytes, at }: { readonly bytes: Buffer; readonly at: number }): RunFile => ({
    path,
    size: bytes.byteLength,
    type: mediaType(path),
    modifiedAt: at,
  })
  const store: FileStore = {
    async list(_fid, side) {
      const files = [...held].map(([path, one]) => describe(path, one)).filter(({ path }) => side === undefined || path.startsWith(`${side}/`))
      return files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    },
    async open(_fid, text) {
      const { path } = sidedPath(text)
      const found = held.get(path)
      if (!found) throw unknownFile(path)
      return { file: describe(path, found), content: Readable.from([found.bytes]) }
    },
    async write(_fid, text, content) {
      const { side, path } = sidedPath(text)
      if (side === 'in') throw new RefusedError(`"${path}" was given to the run and stays as it is: write to "out/".`, { code: 'read_only' })
      const chunks: Buffer[] = []
      for await (const chunk of chunksOf(content)) chunks.push(Buffer.from(chunk as string))
      const one = { bytes: Buffer.concat(chunks), at: now() / 1000 }
      held.set(path, one)
      return describe(path, one)
    },
  }
  return { store, written: () => Object.fromEntries([...held].filter(([path]) => path.startsWith('out/')).map(([path, { bytes }]) => [path, bytes])) }
}
