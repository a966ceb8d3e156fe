import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SafeFolder } from '../files/safe-folder.ts'

/** The plain files below a folder with what the system says of them, hidden ones too, nearest first; none when it is not there. Links and what is no file are passed over. */
export async function* walk(folder: SafeFolder, parts: readonly string[]): AsyncGenerator<{ readonly names: readonly string[]; readonly stats: Stats }> {
  const queue: (readonly string[])[] = [[]]
  for (let names = queue.shift(); names !== undefined; names = queue.shift()) {
    // Asked anew for each folder: a program at work in the workspace may swap one for a link meanwhile.
    const path = await folder.folder([...parts, ...names]).catch(() => undefined)
    if (path === undefined) continue
    for (const name of await readdir(path).catch(() => [])) {
      const stats = await lstat(join(path, name)).catch(() => undefined)
      if (stats?.isDirectory() === true) queue.push([...names, name])
      else if (stats?.isFile() === true) yield { names: [...names, name], stats }
    }
  }
}
