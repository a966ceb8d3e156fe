// Goal: launchers create runs once, people find them in lists, and what is wanted of a run is kept. Method: known runs of one user each, so that tests do not see each other's.
import type { NewRun } from '@koco/core'
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { RunQuery, RunSummary } from '../port/runs.ts'
import { attempt, lines, opening, plainRun, someFid, someRun, START, status } from './scenario.ts'

const E1 = START * 1000

/** The rules of RunStore. */
export function describeRuns(store: () => ExecutionStore): void {
  const create = async (change: Partial<NewRun> & { user: string }, afterS = 0): Promise<string> => {
    const fid = someFid(afterS)
    await store().runs.create({ ...someRun(fid, change), createdAt: START + afterS })
    return fid
  }
  const list = async (query: Omit<RunQuery, 'limit'> & { limit?: number }): Promise<readonly RunSummary[]> =>
    (await store().runs.list({ limit: 100, ...query })).items

  describeCreation(store)
  describeControls(store)

  test('lists give the newest first, page by page, each run once', async () => {
    const user = 'pager'
    const fids: string[] = []
    for (const afterS of [3, 1, 4, 1, 5, 9, 2]) fids.push(await create({ user }, afterS))
    const seen: RunSummary[] = []
    let cursor: string | null | undefined
    for (let pages = 0; cursor !== null && pages < 10; pages++) {
      const page = await store().runs.list({ user, limit: 3, ...(cursor !== undefined && { cursor }) })
      seen.push(...page.items)
      cursor = page.next
    }
    expect(seen.map((run) => run.createdAt - START)).toEqual([9, 5, 4, 3, 2, 1, 1])
    expect(new Set(seen.map((run) => run.fid))).toEqual(new Set(fids))
    expect(seen[0]).not.toHaveProperty('inputs')
    expect(seen[0]).not.toHaveProperty('final')
    expect(seen[0]).toMatchObject({
      flow: 'trip-planner',
      summary: 'Plans a trip',
      tags: ['travel'],
      status: 'starting',
      events: 0,
      openLocks: 0,
      lastPosition: { epoch: 0, seq: 0 },
    })
  })

  test('a listed run says its inputs in short, long ones too', async () => {
    await create({ user: 'short', inputs: { city: 'Rome', text: 'long '.repeat(20_000) } }, 1)
    await create({ user: 'short', inputs: { city: 'Oslo', password: 'p' } }, 2)
    const [oslo, rome] = (await store().runs.list({ user: 'short', limit: 5 })).items
    expect(oslo?.about).toBe('city=Oslo, password=•••')
    expect(rome?.about).toMatch(/^city=Rome, text=long long [long ]+…$/)
  })

  test('a page that is exactly full has no next', async () => {
    await create({ user: 'exact' })
    await create({ user: 'exact' })
    expect((await store().runs.list({ user: 'exact', limit: 2 })).next).toBeNull()
  })

  test('each filter finds its runs', async () => {
    const user = 'filter'
    const rome = await create({ user, flow: 'trip', tags: ['travel', 'it'], summary: 'To Rome', inputs: { city: 'Roma Äeterna', days: 3 } }, 10)
    const tax = await create({ user, flow: 'tax', tags: [], summary: 'Taxes of 100% of us', inputs: { year: 2026 } }, 20)
    await store().writer.write([{ fid: tax, records: [attempt(E1, { epoch: 0, seq: 0 }), status(E1, 2, 'running')] }])
    const fids = async (query: Omit<RunQuery, 'limit' | 'user'>): Promise<string[]> => (await list({ user, ...query })).map((run) => run.fid)
    expect(await fids({})).toEqual([tax, rome])
    expect(await fids({ flow: 'trip' })).toEqual([rome])
    expect(await fids({ status: ['running', 'error'] })).toEqual([tax])
    expect(await fids({ status: [] })).toEqual([])
    expect(await fids({ tag: 'it' })).toEqual([rome])
    expect(await fids({ tag: 'trav' })).toEqual([])
    expect(await fids({ createdFrom: START + 20 })).toEqual([tax])
    expect(await fids({ createdTo: START + 20 })).toEqual([rome])
    expect(await fids({ q: 'äETERNA rome' })).toEqual([rome])
    expect(await fids({ q: 'rome taxes' })).toEqual([])
    expect(await fids({ q: '100%' })).toEqual([tax])
    expect(await fids({ q: '100_' })).toEqual([])
    expect(await fids({ q: '2026 RUNNING' })).toEqual([tax])
    expect(await fids({ q: 'travel' })).toEqual([rome])
    expect(await fids({ q: '   ' })).toEqual([tax, rome])
    expect(await fids({ q: "'; DROP TABLE runs; --" })).toEqual([])
  })

  test('the runs that a run has started are found by it, archived ones too, and are counted', async () => {
    const parent = await create({ user: 'family' })
    const first = await create({ user: 'family', parent }, 1)
    const second = await create({ user: 'family', parent }, 2)
    await create({ user: 'family', parent: someFid() }, 3)
    await store().writer.write([{ fid: first, records: plainRun(E1, 1) }])
    await store().runs.archive(first, true)
    const ended = (await store().runs.get(first))?.finishedAt ?? null
    expect(ended).not.toBeNull()
    expect(await store().runs.children(parent, null, 10)).toEqual([
      { fid: first, status: 'finished', finishedAt: ended },
      { fid: second, status: 'starting', finishedAt: null },
    ])
    expect((await store().runs.children(parent, null, 1)).map(({ fid }) => fid)).toEqual([first])
    expect((await store().runs.children(parent, first, 10)).map(({ fid }) => fid)).toEqual([second])
    expect(await store().runs.children(first, null, 10)).toEqual([])
    expect(await store().runs.counts({ parent })).toEqual({ finished: 1, starting: 1 })
    expect((await list({ parent })).map(({ fid, parent: of }) => [fid, of])).toEqual([[second, parent]])
    expect((await list({ parent, archived: true })).map(({ fid }) => fid)).toEqual([first])
  })

  test('a cursor of another form is refused', async () => {
    const cursors = [
      '',
      'abc',
      '!!',
      Buffer.from('[1,2]').toString('base64url'),
      Buffer.from('["runs","1","2"]').toString('base64url'),
      Buffer.from('["locks",1,"2","3"]').toString('base64url'),
    ]
    for (const cursor of cursors) await expect(list({ cursor })).rejects.toMatchObject({ name: 'RefusedError', code: 'bad_cursor' })
  })

  test('the list follows the events', async () => {
    const user = 'follower'
    const fid = await create({ user, flow: 'unknown yet' })
    await store().writer.write([
      {
        fid,
        records: [
          ...opening(E1).map((record) => (record.kind === 'meta' ? { ...record, data: record.data.replace('ada', user) } : record)),
          ...lines(E1, 6, 2),
        ],
      },
    ])
    expect(await list({ user, q: 'rome' })).toMatchObject([{ fid, flow: 'trip-planner', status: 'running', events: 7, attempt: 1 }])
  })

  test('archived runs are hidden from lists, listed on wish, and come back', async () => {
    const user = 'archivist'
    const fid = await create({ user })
    expect(await store().runs.archive(fid, true)).toBe(true)
    expect(await list({ user })).toEqual([])
    expect(await list({ user, archived: true })).toMatchObject([{ fid }])
    expect(await store().runs.get(fid)).toMatchObject({ archived: true })
    expect(await store().runs.archive(fid, false)).toBe(true)
    expect(await list({ user })).toMatchObject([{ fid }])
    expect(await store().runs.archive(someFid(), true)).toBe(false)
  })

  test('counts tells how many runs there are of each status', async () => {
    const before = (await store().runs.counts()).cancelled ?? 0
    const fid = await create({ user: 'counter' })
    await store().writer.write([{ fid, records: [attempt(E1, { epoch: 0, seq: 0 }), status(E1, 2, 'cancelled')] }])
    expect((await store().runs.counts()).cancelled).toBe(before + 1)
  })

  test('unfinished gives the runs of a launcher that are not over, oldest first, with when they wake', async () => {
    const launcher = 'test-launcher'
    const [second, first, over, foreign] = [someFid(2), someFid(1), someFid(3), someFid(0)]
    for (const fid of [second, first, over]) await store().runs.create({ ...someRun(fid), launcher })
    await store().runs.create({ ...someRun(foreign), launcher: 'other' })
    await store().writer.write([{ fid: over, records: plainRun(E1, 0) }])
    await store().writer.write([{ fid: second, records: [attempt(E1, { epoch: 0, seq: 0 }), status(E1, 2, 'awaiting', START + 99)] }])
    const all = await store().runs.unfinished(launcher, null, 10)
    expect(all.map((run) => [run.fid, run.wakeAt])).toEqual([
      [first, null],
      [second, START + 99],
    ])
    expect((await store().runs.unfinished(launcher, null, 1)).map((run) => run.fid)).toEqual([first])
    expect((await store().runs.unfinished(launcher, first, 10)).map((run) => run.fid)).toEqual([second])
    expect(await store().runs.unfinished(launcher, second, 10)).toEqual([])
  })
}

function describeCreation(store: () => ExecutionStore): void {
  test('a run that was created is there with its inputs, before any event', async () => {
    const fid = someFid()
    expect(await store().runs.create(someRun(fid, { parent: 'p', inputs: [1, { a: null }] }))).toEqual({ fid, created: true })
    expect(await store().runs.get(fid)).toMatchObject({
      fid,
      status: 'starting',
      inputs: [1, { a: null }],
      parent: 'p',
      final: null,
      archived: false,
      launcher: 'direct',
    })
    expect(await store().runs.get(someFid())).toBeUndefined()
  })

  test('creating the same run again changes nothing', async () => {
    const fid = someFid()
    await store().runs.create(someRun(fid))
    expect(await store().runs.create(someRun(fid, { summary: 'other' }))).toEqual({ fid, created: false })
    expect(await store().runs.get(fid)).toMatchObject({ summary: 'Plans a trip' })
  })

  test('an idempotency key gives the first run again, for the same user only, also when asked at once', async () => {
    const runs = Array.from({ length: 5 }, () => ({ ...someRun(someFid(), { user: 'once' }), idempotencyKey: 'k1' }))
    const results = await Promise.all(runs.map(async (run) => await store().runs.create(run)))
    expect(results.filter(({ created }) => created)).toHaveLength(1)
    expect(new Set(results.map(({ fid }) => fid)).size).toBe(1)
    const other = { ...someRun(someFid(), { user: 'twice' }), idempotencyKey: 'k1' }
    expect(await store().runs.create(other)).toEqual({ fid: other.fid, created: true })
  })

  test('a run whose events came first keeps what they say and gets its launcher', async () => {
    const fid = someFid()
    await store().writer.write([{ fid, records: opening(E1) }])
    expect(await store().runs.create({ ...someRun(fid, { summary: 'late' }), launcher: 'temporal' })).toEqual({ fid, created: true })
    expect(await store().runs.get(fid)).toMatchObject({ launcher: 'temporal', status: 'running', summary: 'Plans a trip', events: 5 })
  })

  test('an fid that is none and a user that is no folder name are refused', async () => {
    await expect(store().runs.create(someRun('../../etc'))).rejects.toMatchObject({ name: 'RefusedError', code: 'bad_fid' })
    for (const user of ['..', 'a/b', '', 'Ada', '_x', 'a'.repeat(64)]) {
      await expect(store().runs.create(someRun(someFid(), { user }))).rejects.toMatchObject({ name: 'RefusedError', code: 'bad_user' })
    }
  })
}

function describeControls(store: () => ExecutionStore): void {
  test('epochs grow, follow the clock, and lie above every event', async () => {
    const fid = someFid()
    await store().runs.create(someRun(fid))
    const first = await store().runs.nextEpoch(fid, E1)
    expect(first).toBe(E1)
    expect(await store().runs.nextEpoch(fid, E1 - 5000)).toBe(E1 + 1)
    expect(await store().runs.nextEpoch(fid, E1 + 100)).toBe(E1 + 100)
    await store().writer.write([{ fid, records: [attempt(E1 + 900, { epoch: E1 + 800, seq: 4 })] }])
    expect(await store().runs.nextEpoch(fid, E1)).toBe(E1 + 901)
    const many = await Promise.all(Array.from({ length: 10 }, async () => await store().runs.nextEpoch(fid, E1)))
    expect(new Set(many).size).toBe(10)
    await expect(store().runs.nextEpoch(someFid(), E1)).rejects.toMatchObject({ name: 'RefusedError', code: 'unknown_run' })
  })

  test('what is wanted of a run is kept; a cancel stays until the run is over', async () => {
    const fid = someFid()
    await store().runs.create(someRun(fid))
    expect(await store().runs.wanted(fid)).toBeUndefined()
    const pause = { wanted: 'pause', by: 'ada', reason: 'lunch', at: START + 1 } as const
    await store().runs.request(fid, pause)
    expect(await store().runs.wanted(fid)).toEqual(pause)
    const cancel = { wanted: 'cancel', by: 'bob', reason: null, at: START + 2 } as const
    await store().runs.request(fid, cancel)
    await store().runs.request(fid, { ...pause, wanted: 'run' })
    expect(await store().runs.wanted(fid)).toEqual(cancel)
    await store().writer.write([{ fid, records: [attempt(E1, { epoch: 0, seq: 0 }), status(E1, 2, 'cancelled')] }])
    await store().runs.request(fid, { wanted: 'run', by: 'ada', reason: null, at: START + 3 })
    expect(await store().runs.wanted(fid)).toMatchObject({ wanted: 'run' })
    await expect(store().runs.request(someFid(), pause)).rejects.toMatchObject({ code: 'unknown_run' })
  })
}
