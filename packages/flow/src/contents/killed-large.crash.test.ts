// Goal: wherever a process dies between making a large result and the acknowledgement of the event that names it, no event names what is not there, the run ends right, and what is left over goes with the next
// collection. Method: a child process kills itself with -9 at each point; a second one on the same folder ends the run; then both stores are looked through.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createFolderBlobs } from '@koco/blobs'
import { contentOf, ORIGIN } from '@koco/core'
import { contentsInUse } from '@koco/storage'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'

const CHILD = fileURLToPath(new URL('../contract/large-child.ts', import.meta.url))

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-kill-large-'))
})
afterEach(async () => await rm(dir, { recursive: true, force: true }))

/** Runs a child until it dies or has ended a run, and gives that run. */
async function child(mode: 'start' | 'continue', point: string): Promise<string | undefined> {
  const started = spawn(process.execPath, [CHILD, dir, mode, point], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = new Promise((resolve) => started.once('exit', resolve))
  let fid: string | undefined
  for await (const line of createInterface({ input: started.stdout })) {
    if (line.startsWith('ended ')) fid = line.slice('ended '.length)
    if (fid !== undefined) break
  }
  started.kill('SIGKILL')
  await gone
  return fid
}

test.for([
  ['put:written', 2],
  ['put:placed', 2],
  ['kept', 2],
  ['acknowledged', 1],
] as const)('killed at %s', { timeout: 60_000 }, async ([point, made]) => {
  expect(await child('start', point)).toBeUndefined()
  const fid = (await child('continue', 'none')) ?? ''
  expect((await readFile(join(dir, 'ledger'), 'utf8')).split('\n')).toHaveLength(made + 1)
  const store = await createSqliteExecutionStore({ dir: join(dir, 'data') })
  const blobs = createFolderBlobs({ dir: join(dir, 'blobs') })
  try {
    expect(await store.runs.get(fid)).toMatchObject({ status: 'finished', attempt: 2, final: { value: [300 * 1024, true] } })
    const { records } = await store.reader.read(fid, { after: ORIGIN, limit: 1000 })
    const named = records.flatMap((record) => contentOf(record) ?? [])
    expect(named).toHaveLength(1)
    expect(await store.contents.totals()).toMatchObject({ named: 1, distinct: 1 })
    // Both processes are dead: their pins would hold everything back for some minutes.
    await rm(join(dir, 'blobs/pins'), { recursive: true, force: true })
    expect(await blobs.sweep(() => contentsInUse(store), { graceMs: 0 })).toMatchObject({ removed: 0, kept: 1 })
    expect((await blobs.read(named[0]?.sha256 ?? '')).byteLength).toBe(named[0]?.bytes)
    expect(await readdir(join(dir, 'blobs/trash')).catch(() => [])).toEqual([])
  } finally {
    await blobs.close()
    await store.close()
  }
})
