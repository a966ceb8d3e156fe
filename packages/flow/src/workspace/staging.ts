import { randomUUID } from 'node:crypto'
import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SafeFolder } from '../files/safe-folder.ts'

const FOLDER = '.part'
const LEFT_BEHIND_MS = 3_600_000

/** Where files are while they are being written: on the same disk, outside of every workspace, so that no program at work in one sees or links what is not complete. */
export type Staging = { create(): ReturnType<SafeFolder['create']> }

/** Makes a staging place; at its first use it takes away what processes left behind that ended in mid-write. */
export function createStaging(folder: SafeFolder): Staging {
  let swept: Promise<void> | undefined
  return {
    async create() {
      await (swept ??= sweep(folder))
      return folder.create([FOLDER, randomUUID()])
    },
  }
}

async function sweep(folder: SafeFolder): Promise<void> {
  const path = await folder.folder([FOLDER], true).catch(() => undefined)
  for (const name of path === undefined ? [] : await readdir(path).catch(() => [])) {
    const stats = await lstat(join(path ?? '', name)).catch(() => undefined)
    if (stats && Date.now() - stats.mtimeMs > LEFT_BEHIND_MS) await rm(join(path ?? '', name), { force: true })
  }
}
