// Goal: what only a run named that is gone is held by nothing, also when the index was lost and came back from a snapshot that is older than its going. Method: a store on disk whose index is deleted after a snapshot
// and a removal; what is in use, before and after.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { newFolder } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { opening, record, someFid, someRun, START, status } from '../contract/scenario.ts'
import { contentsInUse } from '../named-contents.ts'
import { coldLoad } from '../snapshots/cold-load.ts'
import { SnapshotFolder } from '../snapshots/files.ts'
import { takeSnapshot } from '../snapshots/take.ts'
import { createSqliteExecutionStore } from './index.ts'

const E1 = START * 1000
const SHARED = 'a'.repeat(64)

let base: string
beforeEach(() => {
  base = newFolder('stray-contents')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

function large(seq: number, sha256: string) {
  const data = {
    phase: 'finished' as const,
    id: `s#${seq}`,
    name: 's',
    try: 1,
    duration_s: 1,
    result: null,
    content: { sha256, bytes: 100_000, stored: 1_000 },
  }
  return record(E1, seq, 'step', data, `s#${seq}`)
}

test('contents of a run that went after the snapshot are in use no more after a cold load; those of others are', async () => {
  const [gone, stays] = [someFid(1), someFid(2)]
  const own = { [gone]: 'b'.repeat(64), [stays]: 'c'.repeat(64) }
  const folder = new SnapshotFolder(join(base, 'snapshots'))
  const writing = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  for (const fid of [gone, stays]) {
    await writing.runs.create(someRun(fid))
    const records = [...opening(E1), large(6, own[fid] ?? ''), large(7, SHARED), record(E1, 8, 'final', { type: 'text', value: '' }), status(E1, 9, 'finished')]
    await writing.writer.write([{ fid, records }])
  }
  // Filed for good, as runs are that are old enough to go.
  await writing.close()
  const store = await createSqliteExecutionStore({ dir: join(base, 'data') })
  await takeSnapshot(store.keeper, folder, 'manual', E1)
  expect([...(await contentsInUse(store))].toSorted()).toEqual([SHARED, own[gone], own[stays]])
  expect(await store.keeper.remove([gone], START + 10_000)).toEqual([gone])
  while (await store.keeper.reclaim());
  await store.close()
  rmSync(join(base, 'data/index.db'))
  const again = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  await coldLoad(again.keeper, folder, { launcher: 'direct' })
  expect([...(await contentsInUse(again))].toSorted()).toEqual([SHARED, own[stays]])
  expect(await again.contents.totals()).toMatchObject({ named: 2, distinct: 2 })
  await again.close()
})
