import { createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { FileFolder } from '@koco/flow'
import type { PanelDeps } from '../options.ts'
import { runLines } from '../shapes/run-lines.ts'

/**
 * Writes a run into an archive folder: `<year>-<month>/<fid>.jsonl.gz`, the lines of an export, which `koco runs import` takes back, and beside it its files under `<fid>.files/`. On disk for good when it
 * resolves; writing it again replaces what is there. False for a run that is gone.
 */
export async function archiveRun(
  deps: Pick<PanelDeps, 'store' | 'contents' | 'clock'> & { readonly files: FileFolder },
  dir: string,
  fid: string,
): Promise<boolean> {
  const run = await deps.store.runs.get(fid)
  if (!run) return false
  const folder = join(dir, new Date(run.createdAt * 1000).toISOString().slice(0, 7))
  await mkdir(folder, { recursive: true })
  for (const { path } of await deps.files.list(fid)) {
    const { content } = await deps.files.open(fid, path)
    await writeWhole(join(folder, `${fid}.files`, path), (target) => pipeline(content, target))
  }
  const lines = Readable.from(runLines(deps, run), { objectMode: false })
  await writeWhole(join(folder, `${fid}.jsonl.gz`), (target) => pipeline(lines, createGzip(), target))
  return true
}

/** Whole or not at all: under another name first, synced, then put in place. */
async function writeWhole(path: string, fill: (target: ReturnType<typeof createWriteStream>) => Promise<void>): Promise<void> {
  const part = `${path}.part`
  await mkdir(dirname(path), { recursive: true })
  try {
    await fill(createWriteStream(part))
    await sync(part)
    await rename(part, path)
    await sync(dirname(path))
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
