import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { walk } from './walk.ts'

const WHOLE_BYTES_MAX = 4 * 1024 * 1024

/** The SHA-256 of every selected file of a workspace, by path. */
export async function hashWorkspace(root: string, selected: (path: string) => boolean): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  for (const { path, stats } of (await walk(root)).files) {
    if (selected(path)) hashes.set(path, await hashFile(join(root, path), Number(stats.size)))
  }
  return hashes
}

async function hashFile(path: string, size: number): Promise<string> {
  const sum = createHash('sha256')
  if (size <= WHOLE_BYTES_MAX) sum.update(await readFile(path))
  else await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), sum)
  return sum.digest('hex')
}
