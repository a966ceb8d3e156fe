// Goal: what is folded comes back in Postgres too, from a snapshot and the events above it, as from a full replay. Method: random runs, a snapshot in between, then every projected table emptied.
import { rmSync } from 'node:fs'
import { comparePositions } from '@koco/core'
import { createDatabase, newFolder, recordedRuns, within } from '@koco/testing'
import fc from 'fast-check'
import { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import { foldedEarly } from '../contract/folded-early.ts'
import { createPostgresExecutionStore } from '../postgres/index.ts'
import type { RunRecords } from '../port/events.ts'
import { coldLoad, restoreSnapshot } from './cold-load.ts'
import { SnapshotFolder } from './files.ts'
import { differences } from './refold.ts'
import { takeSnapshot } from './take.ts'

const TEST_MS = 120_000
const LABELS = new Set(['flow', 'version', 'user', 'summary', 'tags', 'parent', 'inputs', 'createdAt'])

test('emptied projections come back from a snapshot and the events above it', { timeout: TEST_MS }, async () => {
  const base = newFolder('cold-load-pg')
  const { url, drop } = await createDatabase(inject('postgresUrl'))
  const store = await createPostgresExecutionStore({ url, migrate: true })
  const client = new Client(url)
  await client.connect()
  const empty = async () => {
    await client.query('truncate runs, locks, lock_answers, run_controls, run_epochs, run_holes')
  }
  try {
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(recordedRuns(40), { minLength: 1, maxLength: 5, selector: ({ run }) => run.fid }), fc.nat(1000), async (runs, share) => {
        await client.query('truncate execution_events')
        await empty()
        const folder = new SnapshotFolder(`${base}/${++round}`)
        const early = new Set<string>()
        const write = async (batch: readonly RunRecords[]) => {
          for (const fid of foldedEarly(await store.writer.write(batch))) early.add(fid)
        }
        const cutOf = (count: number) => Math.floor((count * share) / 1000)
        for (const { run, records } of runs) {
          await store.runs.create({ ...run, launcher: 'temporal', idempotencyKey: null })
          await write([{ fid: run.fid, records: records.slice(0, cutOf(records.length)) }])
        }
        const { path } = await takeSnapshot(store.keeper, folder, 'periodic', 1_790_000_000_000)
        await write(runs.map(({ run, records }) => ({ fid: run.fid, records: records.slice(cutOf(records.length)) })))
        const before = await store.keeper.copies(null, 100)
        const positions = new Map(before.map(({ state }) => [state.fid, state.lastPosition]))
        const events = before.reduce((sum, { state }) => sum + state.events, 0)
        await expect(restoreSnapshot(store.keeper, path, { launcher: 'direct' })).rejects.toMatchObject({ code: 'not_empty' })
        await empty()
        expect(await coldLoad(store.keeper, folder, { launcher: 'direct' })).toMatchObject({ runs: runs.length, events, positions, passedOver: [] })
        expect(await store.keeper.copies(null, 100)).toEqual(before)
        await empty()
        const { last } = await restoreSnapshot(store.keeper, path, { launcher: 'direct' })
        if (last) expect(last.position).toEqual([...positions.values()].toSorted(comparePositions).at(-1))
        expect(last === null).toBe(events === 0)
        expect(await store.keeper.copies(null, 100)).toEqual(before)
        const removed = runs[0]?.run.fid ?? ''
        await client.query('delete from execution_events where fid = $1', [removed])
        await empty()
        await restoreSnapshot(store.keeper, path, { launcher: 'direct' })
        // What had begun by then is not begun again.
        if (cutOf(runs[0]?.records.length ?? 0) > 0) expect(await store.runs.get(removed)).toBeUndefined()
        else expect(await store.runs.get(removed)).toMatchObject({ status: 'starting', events: 0 })
        await empty()
        await coldLoad(store.keeper, folder, { launcher: 'direct', fromScratch: true })
        const scratch = await store.keeper.copies(null, 100)
        for (const copy of scratch) {
          const same = before.find(({ state }) => state.fid === copy.state.fid)
          if (same && !early.has(copy.state.fid)) expect(differences(copy, same).filter((name) => !LABELS.has(name))).toEqual([])
        }
      }),
      { numRuns: 12, endOnFailure: true, ...within(TEST_MS) },
    )
  } finally {
    await client.end()
    await store.close()
    await drop()
    rmSync(base, { recursive: true, force: true })
  }
})
