// Goal: wherever a process dies while it writes a large file or gives one on, every file is whole, the old one or the new, and a collection takes nothing that a file names. Method: a child process kills itself
// with -9 at each point of it; then the folder is read, collected, and written again.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createFolderBlobs } from '@koco/blobs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createBlobFiles } from '../contents/blob-files.ts'
import { largeText } from '../contract/flows.ts'
import { FileFolder } from './folder.ts'

const CHILD = fileURLToPath(new URL('../contract/file-child.ts', import.meta.url))
const FID = '6738a1f0aaaaaaaaaaaaaaa1'
const NEXT = '6738a1f0aaaaaaaaaaaaaaa0'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-kill-files-'))
})
afterEach(async () => await rm(dir, { recursive: true, force: true }))

/** Runs a child to its end, and gives what it said and the signal that ended it. */
async function child(point: string): Promise<readonly [string, unknown]> {
  const started = spawn(process.execPath, [CHILD, dir, FID, point], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(started, 'exit')
  const said = await text(started.stdout)
  return [said, (await gone)[1]]
}

test.for([
  ['announce', ['old'], []],
  ['announced', ['old'], []],
  ['put:written', ['old'], []],
  ['put:placed', ['old'], []],
  ['write:kept', ['old'], []],
  ['write:named', ['new'], []],
  ['give:kept', ['new'], []],
  ['give:named', ['new'], ['in/report.txt']],
] as const)('killed at %s', { timeout: 60_000 }, async ([point, [version], given]) => {
  const blobs = createFolderBlobs({ dir: join(dir, 'blobs') })
  const folder = new FileFolder(join(dir, 'uploads'), {}, createBlobFiles(blobs, { shared: true }))
  const read = async (fid: string, path: string) => text((await folder.open(fid, path)).content)
  const [old, now] = ['an older report', largeText(300)]
  await folder.write(FID, 'out/report.txt', old)
  expect(await child(point)).toEqual(['', 'SIGKILL'])
  const check = async (): Promise<void> => {
    expect(await read(FID, 'out/report.txt')).toBe(version === 'old' ? old : now)
    expect((await folder.list(NEXT)).map(({ path }) => path)).toEqual(given)
    for (const path of given) expect(await read(NEXT, path)).toBe(now)
  }
  await check()
  // The dead process's pin would hold everything back for some minutes.
  await rm(join(dir, 'blobs/pins'), { recursive: true, force: true })
  expect(await blobs.sweep(() => folder.contentsInUse(), { graceMs: 0 })).toMatchObject({ kept: version === 'new' ? 1 : 0 })
  await check()
  await folder.removeAll(NEXT)
  expect(await child('none')).toEqual(['done', null])
  expect([await read(FID, 'out/report.txt'), await read(NEXT, 'in/report.txt')]).toEqual([now, now])
})
