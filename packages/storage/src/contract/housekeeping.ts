// Goal: what stands beside runs and events (dead events, flows, health, the lock of a process) is kept too. Method: each operation against the store, and the store opened again.
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { OpenFixture } from './scenario.ts'
import { attempt, lines, opening, plainRun, record, someFid, someRun, START, status, timeline } from './scenario.ts'

const E1 = START * 1000
const E2 = E1 + 77

/** The rules of DeadEventStore and FlowRegistry, and of the store as a whole. */
export function describeHousekeeping(store: () => ExecutionStore, open: OpenFixture): void {
  describeDeadEvents(store)
  describeFlows(store)

  test('the check writes', async () => {
    await expect(store().check()).resolves.toBeUndefined()
    await expect(store().check()).resolves.toBeUndefined()
  })

  test('what is exclusive is held by one until it is given back', async () => {
    const giveBack = await store().exclusive('test-lock')
    expect(giveBack).toBeTypeOf('function')
    expect(await store().exclusive('test-lock')).toBeUndefined()
    const other = await store().exclusive('other-lock')
    expect(other).toBeTypeOf('function')
    await giveBack?.()
    await other?.()
    const again = await store().exclusive('test-lock')
    expect(again).toBeTypeOf('function')
    await again?.()
  })

  test('everything outlives the store that wrote it', async () => {
    const fixture = await open()
    try {
      const [whole, open1, holed] = [someFid(), someFid(), someFid()]
      await fixture.store.runs.create({ ...someRun(whole), idempotencyKey: 'again' })
      await fixture.store.writer.write([
        { fid: whole, records: plainRun(E1, 40) },
        { fid: open1, records: [...opening(E1), record(E1, 6, 'lock', { lid: 'l', name: 'n', form: {}, data: null, expires_at: null })] },
        { fid: holed, records: [...opening(E1), ...lines(E1, 9, 3)] },
      ])
      await fixture.store.locks.answer(open1, { lid: 'l', answer: 1, by: 'ada', at: START })
      const run = await fixture.store.runs.get(whole)
      const second = await fixture.reopen()
      expect(await second.runs.get(whole)).toEqual(run)
      expect(await timeline(second, whole)).toEqual(plainRun(E1, 40))
      expect(await second.locks.answers(open1)).toHaveLength(1)
      expect(await second.runs.create({ ...someRun(someFid()), idempotencyKey: 'again' })).toEqual({ fid: whole, created: false })
      const again = await second.writer.write([{ fid: whole, records: plainRun(E1, 40) }])
      expect(again).toMatchObject({ runs: [{ inserted: 0, duplicates: 47 }], alarms: [] })
      const rest = [...lines(E1, 6, 3), ...lines(E1, 12, 2), attempt(E2, { epoch: E1, seq: 13 }), status(E2, 2, 'error')]
      await second.writer.write([{ fid: holed, records: rest.toSorted((a, b) => b.seq - a.seq) }])
      const third = await fixture.reopen()
      expect(await timeline(third, holed)).toEqual([...opening(E1), ...lines(E1, 6, 8), ...rest.slice(-2)])
      expect(await third.runs.get(holed)).toMatchObject({ status: 'error', events: 15 })
    } finally {
      await fixture.dispose()
    }
  })

  test('a closed store says so', async () => {
    const fixture = await open()
    await fixture.store.close()
    await expect(fixture.store.writer.write([{ fid: someFid(), records: opening(E1) }])).rejects.toMatchObject({ name: 'UnavailableError' })
    await fixture.store.close()
    await fixture.dispose()
  })
}

function describeDeadEvents(store: () => ExecutionStore): void {
  test('dead events are kept once, listed newest first, found and discarded', async () => {
    const fid = someFid()
    const dead = (seq: number) => ({ fid, position: `${E1}-${seq}`, reason: 'not JSON', body: '{"half":', at: START + seq })
    for (const seq of [1, 2, 3, 2]) await store().dead.add(dead(seq))
    const first = await store().dead.list({ fid, limit: 2 })
    expect(first.items).toMatchObject([dead(3), dead(2)])
    const rest = await store().dead.list({ fid, limit: 2, cursor: first.next ?? '' })
    expect(rest).toMatchObject({ items: [dead(1)], next: null })
    const id = rest.items[0]?.id ?? 0
    expect(await store().dead.get(id)).toEqual({ ...dead(1), id })
    expect(await store().dead.discard(id)).toBe(true)
    expect(await store().dead.discard(id)).toBe(false)
    expect(await store().dead.get(id)).toBeUndefined()
    expect((await store().dead.list({ limit: 100 })).items.length).toBeGreaterThanOrEqual(2)
    await expect(store().dead.list({ limit: 1, cursor: 'zzz' })).rejects.toMatchObject({ code: 'bad_cursor' })
  })
}

function describeFlows(store: () => ExecutionStore): void {
  test('flows are listed with their workers, and stay listed without', async () => {
    const flow = (name: string, version: string) => ({ name, version, summary: 's', description: 'd', tags: ['t'], author: null, inputs: { type: 'object' } })
    const worker = (id: string, seenAt: number) => ({ id, launcher: 'direct', host: 'h', pid: 7, seenAt })
    await store().flows.heartbeat(worker('w1', START), [flow('a', '1'), flow('b', '1')])
    await store().flows.heartbeat(worker('w2', START + 1), [flow('b', '2')])
    const both = await store().flows.list()
    expect(both).toEqual([
      { ...flow('a', '1'), workers: [{ ...worker('w1', START), version: '1' }] },
      {
        ...flow('b', '2'),
        workers: [
          { ...worker('w1', START), version: '1' },
          { ...worker('w2', START + 1), version: '2' },
        ],
      },
    ])
    await store().flows.heartbeat(worker('w1', START + 5), [flow('b', '2')])
    await store().flows.leave('w2')
    expect((await store().flows.list()).map(({ name, workers }) => [name, workers])).toEqual([
      ['a', []],
      ['b', [{ ...worker('w1', START + 5), version: '2' }]],
    ])
  })

  test('of several versions the one that came last is current while it is served, whoever beats', async () => {
    const flow = (version: string | null) => ({ name: 'c', version, summary: 's', description: 'd', tags: [], author: null, inputs: {} })
    const beat = (id: string, at: number, version: string | null) =>
      store().flows.heartbeat({ id, launcher: 'temporal', host: 'h', pid: 7, seenAt: START + at }, [flow(version)])
    const current = async () => (await store().flows.list()).find(({ name }) => name === 'c')?.version
    await beat('old', 0, null)
    await beat('new', 10, '2')
    for (const at of [20, 30]) await beat('old', at, null)
    await beat('old restarted', 31, null)
    expect(await current()).toBe('2')
    await beat('old', 100, null)
    expect(await current(), 'the new one has not been heard of for long').toBe(null)
    await beat('new', 101, '2')
    expect(await current()).toBe('2')
    await store().flows.leave('new')
    expect(await current()).toBe(null)
    for (const id of ['old', 'old restarted']) await store().flows.leave(id)
    expect(await current(), 'a cold flow').toBe('2')
  })

  test('a worker that never said goodbye is on the list for a day', async () => {
    const flow = { name: 'd', version: null, summary: 's', description: 'd', tags: [], author: null, inputs: {} }
    const beat = (id: string, at: number) => store().flows.heartbeat({ id, launcher: 'temporal', host: 'h', pid: 7, seenAt: START + at }, [flow])
    await beat('dead', 0)
    await beat('alive', 86_000)
    const ids = async () => (await store().flows.list()).find(({ name }) => name === 'd')?.workers.map(({ id }) => id)
    expect(await ids()).toEqual(['alive', 'dead'])
    await beat('alive', 86_500)
    expect(await ids()).toEqual(['alive'])
  })

  test('workers that slept for days and wake up together are all on the list', async () => {
    const flowOf = (id: string) => ({ name: id, version: null, summary: 's', description: 'd', tags: [], author: null, inputs: {} })
    const ids = Array.from({ length: 8 }, (_, i) => `sleeper-${i}`)
    const beatAll = (seenAt: number) =>
      Promise.all(ids.map((id) => store().flows.heartbeat({ id, launcher: 'temporal', host: 'h', pid: 7, seenAt }, [flowOf(id)])))
    for (let day = 0; day < 20; day += 2) await beatAll(START + day * 86_400)
    const found = (await store().flows.list()).filter(({ name }) => ids.includes(name))
    expect(found.map(({ workers }) => workers.map(({ id }) => id))).toEqual(ids.map((id) => [id]))
    for (const id of ids) await store().flows.leave(id)
  })
}
