// Goal: a backup of a store in use is the store at one moment, and a restored one goes on. Method: backups are taken while runs are written and filed; each restored copy is read against what was written,
// its index against its events, and then given the rest.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isEnded, type EventRecord } from '@koco/core'
import { newFolder } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lines, opening, record, someFid, someRun, START, status, timeline } from '../contract/scenario.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { createSqliteExecutionStore } from '../sqlite/index.ts'
import { verifyBackup } from './manifest.ts'
import { restoreBackup } from './restore.ts'
import { takeBackup } from './take.ts'
import type { BackupPart } from './manifest.ts'

const E1 = START * 1000
const ROUNDS = 8

let base: string
beforeEach(() => {
  base = newFolder('backup')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const partsAt = (dir: string): readonly BackupPart[] => [
  { name: 'execution', kind: 'runs', path: join(base, dir, 'execution') },
  { name: 'uploads', kind: 'folder', path: join(base, dir, 'uploads') },
  { name: 'secret.key', kind: 'file', path: join(base, dir, 'secret.key') },
]
const take = (from: string, target: string) => takeBackup({ parts: partsAt(from), target: join(base, target), at: START, version: 'test' })

type Writing = { readonly fid: string; readonly records: readonly EventRecord[]; acknowledged: number }

function someRuns(count: number): Writing[] {
  return Array.from({ length: count }, () => {
    const body = lines(E1, 6, 8 * ROUNDS)
    const end = 6 + body.length
    const records = [...opening(E1), ...body, record(E1, end, 'final', { type: 'text', value: 'done' }), status(E1, end + 1, 'finished')]
    return { fid: someFid(), records, acknowledged: 0 }
  })
}

/** Writes the next stretch of each run. */
async function writeOn(store: ExecutionStore, runs: readonly Writing[], until: number): Promise<void> {
  const batch = runs.map(({ fid, records, acknowledged }) => ({ fid, records: records.slice(acknowledged, until) }))
  await store.writer.write(batch)
  for (const run of runs) run.acknowledged = Math.min(until, run.records.length)
}

test('backups taken while runs are written and filed are each the store at one moment, and go on once restored', { timeout: 120_000 }, async () => {
  const runs = someRuns(6)
  const store = await createSqliteExecutionStore({ dir: join(base, 'live/execution'), migrate: true, chunkBytesMax: 20_000 })
  for (const { fid } of runs) await store.runs.create(someRun(fid))
  const taken: { readonly name: string; readonly before: number; readonly after: number }[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    const writing = writeOn(store, runs, round * 9)
    if (round % 4 === 0) {
      const before = Math.min(...runs.map((run) => run.acknowledged))
      await take('live', `backup-${round}`)
      await writing
      taken.push({ name: `backup-${round}`, before, after: Math.max(...runs.map((run) => run.acknowledged)) })
    } else await writing
  }
  await store.close()
  for (const { name, before, after } of taken) {
    await restoreBackup(join(base, name), partsAt(`restored-${name}`))
    const restored = await createSqliteExecutionStore({ dir: join(base, `restored-${name}`, 'execution') })
    for (const run of runs) {
      const events = await timeline(restored, run.fid, 500)
      expect(events).toEqual(run.records.slice(0, events.length))
      expect(events.length).toBeGreaterThanOrEqual(before)
      expect(events.length).toBeLessThanOrEqual(after)
      const { records } = await restored.keeper.records(run.fid, { epoch: 0, seq: 0 }, 1000)
      expect(records).toHaveLength(events.length)
      expect(await restored.runs.get(run.fid)).toMatchObject({ events: events.length })
      const { alarms } = await restored.writer.write([{ fid: run.fid, records: run.records }])
      expect(alarms).toEqual([])
      expect(isEnded((await restored.runs.get(run.fid))?.status ?? 'running')).toBe(true)
      expect(await timeline(restored, run.fid, 500)).toEqual(run.records)
    }
    await restored.close()
  }
})

test('a backup is refused when a file of it was changed, is missing, or does not belong to it', async () => {
  const store = await createSqliteExecutionStore({ dir: join(base, 'live/execution'), migrate: true })
  const [run] = someRuns(1)
  if (!run) throw new Error('there is no run')
  await store.writer.write([run])
  await store.close()
  writeFileSync(join(base, 'live/secret.key'), 'secret', { mode: 0o600 })
  const manifest = await take('live', 'backup')
  expect(manifest).toMatchObject({ runs: 1, version: 'test', files: expect.arrayContaining([expect.objectContaining({ path: 'secret.key', bytes: 6 })]) })
  expect(await verifyBackup(join(base, 'backup'))).toEqual(manifest)
  await expect(take('live', 'backup')).rejects.toMatchObject({ code: 'backup_exists' })
  const file = join(base, 'backup', manifest.files.find(({ path }) => path.endsWith('sqlite3.db'))?.path ?? '')
  const bytes = readFileSync(file)
  writeFileSync(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from([1 + (bytes.at(-1) ?? 0)])]))
  rmSync(join(base, 'backup/secret.key'))
  writeFileSync(join(base, 'backup/stranger'), '')
  await expect(restoreBackup(join(base, 'backup'), partsAt('new'))).rejects.toMatchObject({
    code: 'bad_backup',
    details: { faults: expect.objectContaining({ length: 3 }) },
  })
  expect(existsSync(join(base, 'new'))).toBe(false)
  await expect(verifyBackup(join(base, 'live'))).rejects.toMatchObject({ code: 'no_backup' })
})

test('nothing is written over, and a place without runs gives no backup', async () => {
  const store = await createSqliteExecutionStore({ dir: join(base, 'live/execution'), migrate: true })
  await store.close()
  await take('live', 'backup')
  await expect(restoreBackup(join(base, 'backup'), partsAt('live'))).rejects.toMatchObject({ code: 'place_taken' })
  await expect(take('nowhere', 'other')).rejects.toMatchObject({ code: 'no_runs' })
  expect(readdirSync(base).toSorted()).toEqual(['backup', 'live'])
})
