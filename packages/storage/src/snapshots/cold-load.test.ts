// Goal: an index that was lost comes back as a full replay would give it, from whatever snapshots are left. Method: random runs written in two stretches with snapshots between and after them, some damaged; the files of the
// runs copied as they are on disk at that moment, without the index; loaded from the snapshots, and from scratch beside it.
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Position } from '@koco/core'
import { newFolder, recordedRuns, within, type RecordedRun } from '@koco/testing'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { foldedEarly } from '../contract/folded-early.ts'
import { plainRun, someFid, someRun, START, timeline } from '../contract/scenario.ts'
import type { RunCopy, StoreKeeper } from '../port/keeper.ts'
import type { EventWriter } from '../port/events.ts'
import { copySqliteStore } from '../sqlite/copy-store.ts'
import { takeExclusive } from '../sqlite/exclusive.ts'
import { createSqliteExecutionStore } from '../sqlite/index.ts'
import { coldLoad, restoreSnapshot } from './cold-load.ts'
import { SnapshotFolder } from './files.ts'
import { rebuild } from './rebuild.ts'
import { differences } from './refold.ts'
import { headOf, takeSnapshot } from './take.ts'

const E1 = START * 1000
const TEST_MS = 120_000
/** What no event tells of a run that has no `meta` event yet. */
const LABELS = new Set(['flow', 'version', 'user', 'summary', 'tags', 'parent', 'inputs', 'createdAt'])

let base: string
beforeEach(() => {
  base = newFolder('cold-load')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

async function copiesOf(keeper: StoreKeeper): Promise<readonly RunCopy[]> {
  return await keeper.copies(null, 1000)
}

async function positionsOf(keeper: StoreKeeper): Promise<ReadonlyMap<string, Position>> {
  return new Map((await copiesOf(keeper)).map(({ state }) => [state.fid, state.lastPosition]))
}

const someCase = fc.record({
  runs: fc.uniqueArray(recordedRuns(40), { minLength: 1, maxLength: 8, selector: ({ run }) => run.fid }),
  cut: fc.nat(1000),
  isSettled: fc.boolean(),
  damage: fc.constantFrom('none', 'newest', 'all'),
})

let cases = 0

test('a lost index comes back from snapshots and what is stored above them, as from a full replay', { timeout: TEST_MS }, async () => {
  const property = fc.asyncProperty(someCase, async ({ runs, cut, isSettled, damage }) => {
    const at = join(base, String(++cases))
    const folder = new SnapshotFolder(join(at, 'snapshots'))
    const store = await createSqliteExecutionStore({ dir: join(at, 'live'), migrate: true })
    const early = new Set(await write(store.writer, runs, 0, cut))
    await takeSnapshot(store.keeper, folder, 'periodic', E1)
    for (const fid of await write(store.writer, runs, cut, 2000)) early.add(fid)
    await takeSnapshot(store.keeper, folder, 'periodic', E1 + 1)
    if (isSettled) await store.close()
    copySqliteStore(join(at, 'live'), join(at, 'lost'))
    await store.close()
    rmSync(join(at, 'lost/index.db'))
    await cp(join(at, 'lost'), join(at, 'scratch'), { recursive: true })
    for (const { path } of (await folder.list('periodic')).slice(0, { none: 0, newest: 1, all: 2 }[damage])) truncateSync(path, 60)
    const [loaded, replayed] = [
      await createSqliteExecutionStore({ dir: join(at, 'lost'), migrate: true }),
      await createSqliteExecutionStore({ dir: join(at, 'scratch'), migrate: true }),
    ]
    const done = await coldLoad(loaded.keeper, folder, { launcher: 'direct' })
    expect(done.passedOver).toHaveLength({ none: 0, newest: 1, all: 2 }[damage])
    await coldLoad(replayed.keeper, folder, { launcher: 'direct', fromScratch: true })
    expect(done.positions).toEqual(await positionsOf(loaded.keeper))
    const [mine, full] = [await copiesOf(loaded.keeper), await copiesOf(replayed.keeper)]
    for (const copy of full) {
      const same = mine.find(({ state }) => state.fid === copy.state.fid)
      if (!same) throw new Error(`run ${copy.state.fid} did not come back`)
      if (early.has(copy.state.fid)) continue
      expect(differences(copy, same).filter((name) => !LABELS.has(name))).toEqual([])
      expect(await timeline(loaded, copy.state.fid, 500)).toHaveLength(same.state.events)
    }
    await loaded.close()
    await replayed.close()
    rmSync(at, { recursive: true })
  })
  await fc.assert(property, { numRuns: 5, endOnFailure: true, ...within(TEST_MS) })
})

async function write(writer: EventWriter, runs: readonly RecordedRun[], from: number, to: number): Promise<string[]> {
  const part = (records: RecordedRun['records'], share: number) => Math.floor((records.length * Math.min(share, 1000)) / 1000)
  const result = await writer.write(
    runs
      .map(({ run, records }) => ({ fid: run.fid, records: records.slice(part(records, from), part(records, to)) }))
      .filter(({ records }) => records.length > 0),
  )
  return foldedEarly(result)
}

test('what no event tells comes out of the snapshot, and nothing is read that did not change', async () => {
  const folder = new SnapshotFolder(join(base, 'snapshots'))
  const [first, second] = [someFid(1), someFid(2)]
  const store = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  for (const fid of [first, second]) await store.runs.create({ ...someRun(fid, { inputs: { city: 'Rome' } }), launcher: 'temporal', idempotencyKey: null })
  await store.writer.write([
    { fid: first, records: plainRun(E1, 30) },
    { fid: second, records: plainRun(E1, 30).slice(0, 20) },
  ])
  await store.sessions.create({ id: 'abcdef000001', user: 'ada', at: START, title: 'A talk' })
  await store.close()
  const settled = await createSqliteExecutionStore({ dir: join(base, 'data') })
  const before = await copiesOf(settled.keeper)
  await new Promise((resolve) => setTimeout(resolve, 150)) // A file that was written a moment ago is looked into: that it is at rest cannot be known.
  await takeSnapshot(settled.keeper, folder, 'manual', E1)
  await settled.writer.write([{ fid: second, records: plainRun(E1, 30).slice(20) }])
  await settled.close()
  rmSync(join(base, 'data/index.db'))
  const again = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  expect(await coldLoad(again.keeper, folder, { launcher: 'direct' })).toMatchObject({ runs: 2, folded: 1, passedOver: [] })
  expect((await copiesOf(again.keeper)).find(({ state }) => state.fid === first)).toEqual(before.find(({ state }) => state.fid === first))
  expect(await again.runs.get(second)).toMatchObject({ status: 'finished', events: 37, launcher: 'temporal' })
  expect(await again.sessions.get('abcdef000001')).toMatchObject({ title: 'A talk' })
  expect(await rebuild(again.keeper, { write: false })).toEqual({ runs: 2, deviations: [] })
  await again.close()
})

test('a run that was removed after the snapshot stays away: it is not started anew', async () => {
  const folder = new SnapshotFolder(join(base, 'snapshots'))
  const [filed, unfiled, waiting] = [someFid(1), someFid(2), someFid(3)]
  const writing = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  for (const fid of [filed, unfiled, waiting]) await writing.runs.create(someRun(fid))
  await writing.writer.write([{ fid: filed, records: plainRun(E1, 5) }])
  await writing.close()
  const store = await createSqliteExecutionStore({ dir: join(base, 'data') })
  await store.writer.write([{ fid: unfiled, records: plainRun(E1, 5) }])
  await takeSnapshot(store.keeper, folder, 'manual', E1)
  await store.close()
  // Both are filed by now.
  const later = await createSqliteExecutionStore({ dir: join(base, 'data') })
  expect(await later.keeper.remove([filed, unfiled], START + 10_000)).toEqual([filed, unfiled])
  while (await later.keeper.reclaim());
  await later.close()
  rmSync(join(base, 'data/index.db'))
  const again = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  const done = await coldLoad(again.keeper, folder, { launcher: 'direct' })
  expect([done.runs, [...done.positions.keys()], done.last]).toEqual([1, [waiting], null])
  expect((await copiesOf(again.keeper)).map(({ state }) => [state.fid, state.status])).toEqual([[waiting, 'starting']])
  await again.close()
})

test('a snapshot is restored into an empty store alone, and tells to which position each run came and which is the last', async () => {
  const folder = new SnapshotFolder(join(base, 'snapshots'))
  const [first, second] = [someFid(1), someFid(2)]
  const store = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  const [older, newer] = [plainRun(E1, 30), plainRun(E1 + 7, 5)]
  await store.writer.write([
    { fid: first, records: newer },
    { fid: second, records: older.slice(0, 20) },
  ])
  const { path } = await takeSnapshot(store.keeper, folder, 'manual', E1)
  await store.writer.write([{ fid: second, records: older.slice(20) }])
  await expect(restoreSnapshot(store.keeper, path, { launcher: 'direct' })).rejects.toMatchObject({ code: 'not_empty' })
  await store.close()
  rmSync(join(base, 'data/index.db'))
  const again = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  await expect(restoreSnapshot(again.keeper, `${path}.gone`, { launcher: 'direct' })).rejects.toMatchObject({ code: 'bad_snapshot' })
  const [top, end] = [{ epoch: E1 + 7, seq: newer.length }, newer.at(-1)]
  expect(await restoreSnapshot(again.keeper, path, { launcher: 'direct' })).toEqual({
    snapshot: path,
    passedOver: [],
    runs: 2,
    folded: expect.any(Number),
    events: older.length + newer.length,
    positions: new Map([
      [first, top],
      [second, { epoch: E1, seq: older.length }],
    ]),
    last: { fid: first, position: top, at: end?.ts },
  })
  await again.close()
})

test('a run whose user no event had told yet is found under the user that it got since', async () => {
  const folder = new SnapshotFolder(join(base, 'snapshots'))
  const fid = someFid(1)
  // Nobody files it before its user is known, however long the snapshot takes.
  const giveBack = takeExclusive(join(base, 'data'), 'filer')
  const store = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  await store.writer.write([{ fid, records: plainRun(E1, 30).slice(0, 1) }])
  await takeSnapshot(store.keeper, folder, 'manual', E1)
  await store.writer.write([{ fid, records: plainRun(E1, 30).slice(1) }])
  giveBack?.()
  await store.close()
  expect(readdirSync(join(base, 'data'))).toContain('ada')
  rmSync(join(base, 'data/index.db'))
  const again = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  await coldLoad(again.keeper, folder, { launcher: 'direct' })
  expect(await again.runs.get(fid)).toMatchObject({ status: 'finished', events: 37, user: 'ada' })
  await again.close()
})

test('names tell the newest, older names count, and the last five periodic ones are kept with the one in use', async () => {
  const store = await createSqliteExecutionStore({ dir: join(base, 'data'), migrate: true })
  await store.writer.write([{ fid: someFid(), records: plainRun(E1, 3) }])
  const folder = new SnapshotFolder(join(base, 'snapshots'))
  expect(await folder.latest('periodic')).toBeNull()
  const files = []
  for (let i = 0; i < 8; i++) files.push(await takeSnapshot(store.keeper, folder, 'periodic', E1 + i))
  const manual = await takeSnapshot(store.keeper, folder, 'manual', E1)
  expect(files[0]?.name).toBe(`${new Date(E1).toISOString().replaceAll(/[-:]/g, '')}-1.json.zst`)
  expect((await folder.latest('periodic'))?.path).toBe(files[7]?.path)
  expect(await headOf(manual.path)).toEqual({ format: 1, projector: 1, at: E1, runs: 1, events: 10 })
  writeFileSync(join(base, 'snapshots/periodic/20260102T030405Z.json'), '{}')
  writeFileSync(join(base, 'snapshots/periodic/killed.json.zst.part'), 'half')
  expect((await folder.list('periodic')).at(-1)).toMatchObject({ name: '20260102T030405Z.json', at: Date.UTC(2026, 0, 2, 3, 4, 5), n: 0 })
  expect(await folder.prune(5, files[0]?.path)).toBe(3)
  expect(readdirSync(join(base, 'snapshots/periodic')).toSorted()).toEqual([files[0], ...files.slice(3)].map((file) => file?.name))
  expect(await folder.prune(5, files[0]?.path)).toBe(0)
  expect(await folder.latest('manual')).toMatchObject({ path: manual.path })
  await store.close()
})
