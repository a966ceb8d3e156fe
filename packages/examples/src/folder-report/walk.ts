import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A file under the folder: its path from there, with `/`, and its size in bytes. */
export type FoundFile = { readonly path: string; readonly size: number }

/** One page of a walk. `next` continues it, null at the end. */
export type FoundPage = { readonly files: readonly FoundFile[]; readonly next: string | null }

const SKIPPED: ReadonlySet<string> = new Set(['node_modules', '.git'])

/** The next files of a folder in the order of their paths, after the file that `after` names; at most `max`. Follows no links, skips node_modules, .git and what may not be read. */
export async function listFiles(folder: string, after: string | null, max: number): Promise<FoundPage> {
  const files: FoundFile[] = []
  for await (const path of walk(folder, '', after === null ? [] : after.split('/'))) {
    if (files.length === max) return { files, next: files.at(-1)?.path ?? null }
    const found = await lstat(join(folder, path)).catch(goneOrThrow)
    if (found) files.push({ path, size: found.size })
  }
  return { files, next: null }
}

// `after` names where to go on, part by part: what sorts before it was listed already.
async function* walk(folder: string, under: string, after: readonly string[]): AsyncGenerator<string> {
  const [from, ...rest] = after
  for (const entry of await entriesOf(join(folder, under))) {
    if (SKIPPED.has(entry.name) || (from !== undefined && entry.name < from)) continue
    const path = under === '' ? entry.name : `${under}/${entry.name}`
    const isFrom = entry.name === from
    if (entry.isDirectory()) yield* walk(folder, path, isFrom ? rest : [])
    else if (entry.isFile() && !isFrom) yield path
  }
}

async function entriesOf(dir: string) {
  const entries = await readdir(dir, { withFileTypes: true }).catch(goneOrThrow)
  return (entries ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

// A folder that people work in changes under the walk.
function goneOrThrow(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EACCES') return undefined
  throw error
}
