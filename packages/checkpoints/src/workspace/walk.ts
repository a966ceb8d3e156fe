import type { BigIntStats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSessionPath } from './paths.ts'

/** A plain file of a workspace. */
export type Found = { readonly path: string; readonly stats: BigIntStats }

/** What a walk saw: plain files by path, and what it passed over. */
export type Walk = { readonly files: readonly Found[]; readonly skipped: readonly { readonly path: string; readonly why: string }[] }

const STATS_AT_ONCE = 64

/** All plain files below a folder, hidden ones too, by path. Nothing is reached through a symbolic link. A folder that is not there is empty. */
export async function walk(root: string): Promise<Walk> {
  const files: Found[] = []
  const skipped: { path: string; why: string }[] = []
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(unlessGone)
    const plain: string[] = []
    for (const entry of entries ?? []) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (isSessionPath(path)) skipped.push({ path, why: 'the name is reserved' })
      else if (entry.isDirectory()) folders.push(path)
      else if (!entry.isFile()) skipped.push({ path, why: entry.isSymbolicLink() ? 'a symbolic link' : 'no plain file' })
      else if (path.includes('\ufffd') || path.includes('\\')) skipped.push({ path, why: 'a name that not every system can have' })
      else plain.push(path)
    }
    for (let i = 0; i < plain.length; i += STATS_AT_ONCE) {
      const some = plain.slice(i, i + STATS_AT_ONCE)
      const stats = await Promise.all(some.map(async (path) => await lstat(join(root, path), { bigint: true }).catch(unlessGone)))
      some.forEach((path, at) => {
        const known = stats[at]
        if (known?.isFile() === true) files.push({ path, stats: known })
      })
    }
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { files, skipped }
}

function unlessGone(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
  throw error
}
