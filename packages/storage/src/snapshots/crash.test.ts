// Goal: killed at any step of writing a snapshot, the older ones stay whole and are what a load begins from. Method: a child process is killed with -9 at each step; the folder is then read, pruned, and loaded from.
import { execFile } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newFolder } from '@koco/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plainRun, someFid, START } from '../contract/scenario.ts'
import { createSqliteExecutionStore } from '../sqlite/index.ts'
import { SnapshotFolder, type SnapshotFile } from './files.ts'
import { headOf, takeSnapshot } from './take.ts'

const CHILD = fileURLToPath(new URL('crash-writer.ts', import.meta.url))

let base: string
let folder: SnapshotFolder
let first: SnapshotFile
beforeAll(async () => {
  base = newFolder('snapshot-crash')
  folder = new SnapshotFolder(join(base, 'snapshots'))
  const store = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  for (let i = 0; i < 5; i++) await store.writer.write([{ fid: someFid(), records: plainRun(START * 1000, 20) }])
  first = await takeSnapshot(store.keeper, folder, 'periodic', START * 1000)
  await store.close()
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

const POINTS = [
  ['snapshot:line', 3, false],
  ['snapshot:written', 1, false],
  ['snapshot:synced', 1, false],
  ['snapshot:renamed', 1, true],
] as const

test.for(POINTS)('killed at %s (%i), the older snapshots are whole', { timeout: 60_000 }, async ([point, nth, isThere]) => {
  const signal = await new Promise((resolve) => execFile(process.execPath, [CHILD, base, point, String(nth)], (error) => resolve(error?.signal ?? null)))
  expect(signal).toBe('SIGKILL')
  const all = await folder.list('periodic')
  expect(all.length).toBe(isThere ? 2 : 1)
  expect(all.at(-1)?.path).toBe(first.path)
  for (const { path } of all) expect(await headOf(path)).toMatchObject({ runs: 5, events: 135 })
  await folder.prune(5)
  expect(readdirSync(join(base, 'snapshots/periodic')).filter((name) => name.endsWith('.part'))).toEqual([])
})
