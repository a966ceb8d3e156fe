// Goal: whoever keeps house takes away only what is over, whole, and copies a store exactly. Method: each operation against the store; a copy is put into the same store after its run is gone.
import type { RunState } from '@koco/core'
import { ORIGIN } from '@koco/core'
import { recordedRuns, within } from '@koco/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EndedRun, RunCopy, StoreKeeper } from '../port/keeper.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { PROJECTOR } from '../projection.ts'
import { upgradeProjections } from '../snapshots/rebuild.ts'
import { attempt, lines, meta, opening, plainRun, record, someFid, someRun, START, status, timeline } from './scenario.ts'

const E1 = START * 1000
const E2 = E1 + 50
const LATER = START + 10_000
const TEST_MS = 60_000

/** The rules of StoreKeeper. */
export function describeKeeping(store: () => ExecutionStore): void {
  const write = async (fid: string, records = plainRun(E1, 30), change: Partial<RunState> = {}): Promise<string> => {
    await store().runs.create(someRun(fid, change))
    await store().writer.write([{ fid, records }])
    return fid
  }

  test('runs that are over are listed newest first with what they take, and live ones never', async () => {
    const [old, young] = [
      await write(someFid(), plainRun(E1, 30), { createdAt: START + 1 }),
      await write(someFid(), plainRun(E1, 30), { createdAt: START + 2 }),
    ]
    const live = await write(someFid(), opening(E1))
    const listed = await allEnded(store().keeper, LATER, 3)
    const mine = listed.filter(({ fid }) => [old, young, live].includes(fid))
    expect(mine.map(({ fid }) => fid)).toEqual([young, old])
    expect(mine[0]).toMatchObject({ flow: 'trip-planner', user: 'ada', createdAt: START + 2, endedAt: START + 37 / 8, events: 37 })
    expect(mine[0]?.bytes).toBeGreaterThan(1000)
    expect((await allEnded(store().keeper, START + 1)).map(({ fid }) => fid)).not.toContain(old)
    await expect(store().keeper.ended({ endedBefore: LATER, limit: 1, cursor: 'zzz' })).rejects.toMatchObject({ code: 'bad_cursor' })
  })

  test('the ended child of a run that still lives stays: its parent may read its result again', async () => {
    const parent = await write(someFid(), opening(E1))
    const child = await write(
      someFid(),
      plainRun(E1, 2).map((event) => (event.seq === 4 ? meta(E1, 4, { parent }) : event)),
      { parent },
    )
    expect(await store().keeper.remove([child], LATER)).toEqual([])
    await store().writer.write([{ fid: parent, records: [status(E1, 6, 'error')] }])
    const gone = await store().keeper.remove([child, parent], LATER)
    expect(gone.toSorted()).toEqual([child, parent].toSorted())
  })

  test('removed is the whole run, and nothing of another', async () => {
    const [gone, stays] = [await write(someFid()), await write(someFid())]
    await store().dead.add({ fid: gone, position: `${E1}-99`, reason: 'r', body: 'b', at: START })
    expect(await store().keeper.remove([gone, someFid(), 'no fid'], LATER)).toEqual([gone])
    expect(await store().runs.get(gone)).toBeUndefined()
    expect(await timeline(store(), gone)).toEqual([])
    expect(await store().keeper.records(gone, ORIGIN, 10)).toEqual({ records: [], complete: true })
    expect((await store().dead.list({ fid: gone, limit: 10 })).items).toEqual([])
    expect(await timeline(store(), stays)).toEqual(plainRun(E1, 30))
    expect(await store().keeper.remove([gone], LATER)).toEqual([])
    while (await store().keeper.reclaim());
  })

  test('a run to which a later try was given since stays', async () => {
    const fid = await write(someFid(), [...opening(E1), status(E1, 6, 'error')])
    await store().runs.nextEpoch(fid, (LATER + 5) * 1000)
    expect(await store().keeper.remove([fid], LATER)).toEqual([])
    expect(await store().keeper.remove([fid], LATER + 60)).toEqual([fid])
  })

  test('a run that comes back after it was removed is a new one', async () => {
    const fid = await write(someFid())
    expect(await timeline(store(), fid)).toHaveLength(37)
    await store().keeper.remove([fid], LATER)
    const other = await write(someFid(), plainRun(E1 + 7, 3))
    await write(fid, plainRun(E2, 5))
    expect(await timeline(store(), fid)).toEqual(plainRun(E2, 5))
    expect(await timeline(store(), other)).toEqual(plainRun(E1 + 7, 3))
  })

  test('a copy holds everything: put back with its records it is the same run, and goes on as such', async () => {
    const fid = someFid()
    const lock = record(E1, 6, 'lock', { lid: 'l', name: 'n', form: { type: 'object' }, data: [1], expires_at: null })
    const fenced = lines(E1, 9, 2)
    const waiting = lines(E2, 5, 2)
    const first = [...opening(E1), lock, ...lines(E1, 7, 2)]
    const second = [attempt(E2, { epoch: E1, seq: 8 }), status(E2, 2, 'error')]
    await store().runs.create({ ...someRun(fid), idempotencyKey: `key-${fid}`, launcher: 'temporal' })
    await store().writer.write([{ fid, records: first }])
    await store().locks.answer(fid, { lid: 'l', answer: { yes: true }, by: 'ada', at: START })
    await store().runs.request(fid, { wanted: 'pause', by: 'ada', reason: 'wait', at: START })
    await store().writer.write([{ fid, records: [...second, ...fenced, ...waiting] }])
    await store().runs.archive(fid, true)
    const run = await store().runs.get(fid)
    const copy = await copyOf(store().keeper, fid)
    expect(copy).toMatchObject({
      launcher: 'temporal',
      idempotencyKey: `key-${fid}`,
      archived: true,
      topEpoch: E2,
      waiting: true,
      control: { wanted: 'pause', reason: 'wait' },
    })
    expect(copy?.seals).toEqual([{ epoch: E1, lastSeq: 8 }])
    expect(copy?.locks).toHaveLength(1)
    expect(copy?.answers).toEqual([{ lid: 'l', answer: { yes: true }, by: 'ada', at: START }])
    const { records, complete } = await store().keeper.records(fid, ORIGIN, 100)
    expect(records).toEqual([...first, ...fenced, ...second, ...waiting])
    expect(complete).toBe(true)
    expect(await store().keeper.remove([fid], LATER)).toEqual([fid])
    if (!copy) throw new Error('there is no copy')
    await store().keeper.addRecords(copy.state, records)
    await store().keeper.put([copy])
    await store().keeper.addRecords(copy.state, records)
    await store().keeper.put([copy])
    expect(await store().runs.get(fid)).toEqual(run)
    expect(await copyOf(store().keeper, fid)).toEqual(copy)
    expect(await store().keeper.records(fid, ORIGIN, 100)).toEqual({ records, complete: true })
    const missing = [record(E2, 3, 'debug', { type: 'text', value: 'late' }), record(E2, 4, 'debug', { type: 'text', value: 'later' })]
    await store().writer.write([{ fid, records: missing }])
    expect((await timeline(store(), fid)).slice(-6)).toEqual([...second, ...missing, ...waiting])
  })

  test('a copy of a conversation is its whole log: put back after it was deleted it is the same', async () => {
    const { id } = await store().sessions.create({
      id: 'keep00000001',
      user: 'ada',
      at: START,
      title: 'A talk',
      messages: [{ id: 'm1', role: 'user', content: 'hi' }],
    })
    await store().sessions.change(id, { do: 'append', messages: [{ id: 'm2', role: 'assistant', content: ['ho'] }] }, { at: START + 1 })
    await store().sessions.change(id, { do: 'undo', turns: 1 }, { at: START + 2 })
    await store().sessions.setDraft(id, { half: 'a tho' })
    const before = await store().sessions.read(id)
    const copies = (await store().keeper.sessionCopies(null, 1000)).filter(({ session }) => session.id === id)
    expect(copies).toMatchObject([{ session: { title: 'A talk', undone: 1 }, entries: [{ revision: 1 }, { revision: 2 }, { revision: 3 }] }])
    expect(await store().sessions.delete(id)).toBe(true)
    for (let times = 0; times < 2; times++) await store().keeper.putSessions(copies)
    expect(await store().sessions.read(id)).toEqual(before)
    expect(await store().sessions.draft(id)).toEqual({ half: 'a tho' })
    expect(await store().sessions.change(id, { do: 'redo' }, { at: START + 3 })).toMatchObject({ outcome: 'done' })
  })
}

async function allEnded(keeper: StoreKeeper, endedBefore: number, limit = 100): Promise<EndedRun[]> {
  const found: EndedRun[] = []
  for (let cursor: string | undefined; ;) {
    const page = await keeper.ended({ endedBefore, limit, ...(cursor === undefined ? {} : { cursor }) })
    found.push(...page.items)
    if (page.next === null) return found
    cursor = page.next
  }
}

/** A copy of one run, found as a whole store is copied: page by page. */
async function copyOf(keeper: StoreKeeper, fid: string): Promise<RunCopy | undefined> {
  for (let after: string | null = null; ;) {
    const page: readonly RunCopy[] = await keeper.copies(after, 5)
    const last = page.at(-1)
    const found = page.find(({ state }) => state.fid === fid)
    if (found || !last) return found
    after = last.state.fid
  }
}

/** The rules of folding anew. */
export function describeRefolding(store: () => ExecutionStore): void {
  test('a run folded anew from its events is what it was; one whose row is wrong is put right, and goes on right', { timeout: TEST_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(recordedRuns(50), fc.nat(1000), async ({ run, records }, share) => {
        const fid = someFid()
        const cut = Math.floor((records.length * share) / 1000)
        await store().runs.create({ ...run, fid, launcher: 'direct', idempotencyKey: null })
        if (cut > 0) await store().writer.write([{ fid, records: records.slice(0, cut) }])
        const place = [{ fid, home: null }]
        expect(await store().keeper.refold(place, { mode: 'decided', write: false, launcher: '' })).toEqual([
          { fid, differs: [], position: (await store().runs.get(fid))?.lastPosition },
        ])
        const right = await store().runs.get(fid)
        const copy = await copyOf(store().keeper, fid)
        if (!copy || !right) throw new Error('there is no copy')
        await store().keeper.put([{ ...copy, state: { ...copy.state, events: 99_999, attempt: 77, progress: { done: 1, total: 2 } }, locks: [] }])
        const [found] = await store().keeper.refold(place, { mode: 'decided', write: true, launcher: '' })
        expect(found?.differs).toEqual(expect.arrayContaining(['events', 'attempt']))
        expect(await store().runs.get(fid)).toEqual(right)
        expect(await copyOf(store().keeper, fid)).toEqual(copy)
        if (cut < records.length) await store().writer.write([{ fid, records: records.slice(cut) }])
        expect(await store().keeper.refold(place, { mode: 'decided', write: false, launcher: '' })).toEqual([
          { fid, differs: [], position: (await store().runs.get(fid))?.lastPosition },
        ])
        expect((await store().runs.get(fid))?.events).toBe((await timeline(store(), fid, 500)).length)
      }),
      { numRuns: 15, ...within(TEST_MS) },
    )
  })

  test('how many processes of a run died is folded while it rests because of it, listed, and copied', async () => {
    const fid = someFid()
    await store().writer.write([{ fid, records: [...opening(E1), record(E1, 6, 'status', { status: 'awaiting', until: START + 4, deaths: 5 })] }])
    const copy = await copyOf(store().keeper, fid)
    await store().keeper.put(copy ? [copy] : [])
    expect(await store().runs.get(fid)).toMatchObject({ status: 'awaiting', wakeAt: START + 4, deaths: 5 })
    const { items } = await store().runs.list({ status: ['awaiting'], createdFrom: copy?.state.createdAt ?? 0, limit: 100 })
    expect(items.find((run) => run.fid === fid)?.deaths).toBe(5)
    await store().writer.write([{ fid, records: [record(E1, 7, 'status', { status: 'running' })] }])
    expect(await store().runs.get(fid)).toMatchObject({ status: 'running', wakeAt: null, deaths: 0 })
  })

  test('an older projector is brought up to this one while runs go on, from where it was when it was cut off', async () => {
    const fids = [someFid(), someFid(), someFid()].toSorted()
    for (const fid of fids) await store().writer.write([{ fid, records: opening(E1) }])
    const rows = (await Promise.all(fids.map((fid) => copyOf(store().keeper, fid)))).filter((copy) => copy !== undefined)
    await store().keeper.put(rows.map((copy) => ({ ...copy, state: { ...copy.state, attempt: 50 } })))
    await store().keeper.setProjection({ version: 0, cursor: fids[0] ?? '' })
    expect(await upgradeProjections(store().keeper)).toBe(true)
    expect((await store().runs.get(fids[0] ?? ''))?.attempt).toBe(50)
    for (const fid of fids.slice(1)) expect(await store().runs.get(fid)).toMatchObject({ attempt: 1, status: 'running' })
    expect(await store().keeper.projection()).toEqual({ version: PROJECTOR, cursor: null })
    expect(await upgradeProjections(store().keeper)).toBe(false)
  })

  test('a moment holds every run with its position, and what stands beside them', async () => {
    const fid = await store()
      .runs.create(someRun(someFid()))
      .then((made) => made.fid)
    await store().writer.write([{ fid, records: plainRun(E1, 4) }])
    const kinds = new Set<string>()
    const found: RunCopy[] = []
    await store().keeper.moment(async (part) => {
      kinds.add(part.kind)
      if (part.kind === 'runs') found.push(...part.lines.map(({ copy }) => copy))
    })
    expect([...kinds]).toEqual(expect.arrayContaining(['runs', 'schedules', 'dead', 'side']))
    expect(found.find(({ state }) => state.fid === fid)).toEqual(await copyOf(store().keeper, fid))
    const { runs, events } = await store().keeper.totals()
    expect(runs).toBe(found.length)
    expect(events).toBe(found.reduce((sum, { state }) => sum + state.events, 0))
  })
}
