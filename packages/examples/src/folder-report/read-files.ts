import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { languageOf } from './languages.ts'
import type { FoundFile } from './walk.ts'

/** Sums over the text files of one language. */
export type LanguageSum = { readonly files: number; readonly lines: number; readonly bytes: number }

/** What reading some files gave. */
export type FilesRead = {
  readonly languages: Readonly<Record<string, LanguageSum>>
  readonly longest: readonly { readonly path: string; readonly lines: number }[]
  readonly skipped: { readonly binary: number; readonly huge: number; readonly gone: number }
}

/** Files above this many bytes are counted, not read. */
export const HUGE_BYTES = 2 * 1024 * 1024
/** How many of the longest files a report names. */
const LONGEST_MAX = 10
const PROBE_BYTES = 8192
const LINE_FEED = 10

/** Nothing read yet. */
export const NOTHING_READ: FilesRead = { languages: {}, longest: [], skipped: { binary: 0, huge: 0, gone: 0 } }

/** Reads files one after the other; binary, huge and vanished ones are only counted. */
export async function readFiles(folder: string, files: readonly FoundFile[], signal: AbortSignal): Promise<FilesRead> {
  let sum = NOTHING_READ
  for (const file of files) {
    signal.throwIfAborted()
    sum = addRead(sum, await readOne(folder, file))
  }
  return sum
}

/** The sum of two readings. */
export function addRead(a: FilesRead, b: FilesRead): FilesRead {
  const languages = { ...a.languages }
  for (const [language, sum] of Object.entries(b.languages)) {
    const before = languages[language] ?? { files: 0, lines: 0, bytes: 0 }
    languages[language] = { files: before.files + sum.files, lines: before.lines + sum.lines, bytes: before.bytes + sum.bytes }
  }
  const longest = [...a.longest, ...b.longest].toSorted((x, y) => y.lines - x.lines || (x.path < y.path ? -1 : 1)).slice(0, LONGEST_MAX)
  const { skipped } = b
  return {
    languages,
    longest,
    skipped: { binary: a.skipped.binary + skipped.binary, huge: a.skipped.huge + skipped.huge, gone: a.skipped.gone + skipped.gone },
  }
}

async function readOne(folder: string, { path, size }: FoundFile): Promise<FilesRead> {
  if (size > HUGE_BYTES) return skip('huge')
  const bytes = await bytesOf(join(folder, path))
  if (bytes === undefined) return skip('gone')
  if (bytes.subarray(0, PROBE_BYTES).includes(0)) return skip('binary')
  const lines = countLines(bytes)
  return { languages: { [languageOf(path)]: { files: 1, lines, bytes: bytes.length } }, longest: [{ path, lines }], skipped: NOTHING_READ.skipped }
}

function skip(why: keyof FilesRead['skipped']): FilesRead {
  return { ...NOTHING_READ, skipped: { ...NOTHING_READ.skipped, [why]: 1 } }
}

// A file may grow while the folder is walked: never more than the limit is read.
async function bytesOf(path: string): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, 'r')
    const buffer = new Uint8Array(Math.min((await file.stat()).size, HUGE_BYTES))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EACCES') return undefined
    throw error
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = bytes.length > 0 && bytes.at(-1) !== LINE_FEED ? 1 : 0
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1
  return lines
}
