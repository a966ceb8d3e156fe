import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Writes a new file and waits until it is on disk. */
export async function writeDurably(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640)
  try {
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0)
    const { bytesWritten } = await handle.writev([...parts])
    if (bytesWritten < size) await handle.writeFile(Buffer.concat(parts).subarray(bytesWritten))
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** Waits until the names in a folder are on disk. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder with folders of these names in it, durably: one wait for the disk makes all the names last. */
export async function makeFolders(path: string, names: readonly string[], sync: (path: string) => Promise<void> = syncFolder): Promise<void> {
  await makeFolder(path, sync)
  await Promise.all(names.map((name) => mkdir(join(path, name), { recursive: true })))
  await sync(path)
}

/** Makes a folder and what leads to it, durably: also when somebody else has just made it. `sync`: waits until the names in a folder are on disk. */
export async function makeFolder(path: string, sync: (path: string) => Promise<void> = syncFolder): Promise<void> {
  const first = await mkdir(path, { recursive: true })
  const top = first === undefined ? path : first
  for (let at = path; at.length >= top.length; at = dirname(at)) await sync(dirname(at))
}
