// Goal: a store knows at each moment which contents its events name, however they came into it. Method: events that name contents made up here, by every way in; what is named before and after.
import { createHash, randomUUID } from 'node:crypto'
import type { EventRecord } from '@koco/core'
import { expect, test } from 'vitest'
import { contentsInUse } from '../named-contents.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { lines, opening, plainRun, record, someFid, someRun, START, status } from './scenario.ts'

const E1 = START * 1000
const LATER = START + 10_000

function step(seq: number, sha256: string, bytes = 100_000, stored = 1_000): EventRecord {
  return record(
    E1,
    seq,
    'step',
    { phase: 'finished', id: `s#${seq}`, name: 's', try: 1, duration_s: 1, result: null, content: { sha256, bytes, stored } },
    `s#${seq}`,
  )
}

function someHash(): string {
  return createHash('sha256').update(randomUUID()).digest('hex')
}

/** The rules of ContentIndex. */
export function describeContents(store: () => ExecutionStore): void {
  const named = async (): Promise<ReadonlySet<string>> => await contentsInUse(store())
  const ending = (seq: number): EventRecord[] => [record(E1, seq, 'final', { type: 'text', value: '' }), status(E1, seq + 1, 'finished')]

  test('what an event names is known with the event, once however often it comes, and equal content counts as kept once', async () => {
    const [a, b] = [someHash(), someHash()]
    const before = await store().contents.totals()
    const [one, two] = [someFid(), someFid()]
    for (const fid of [one, two]) await store().runs.create(someRun(fid))
    const records = [...opening(E1), step(6, a), step(7, b), step(8, a), ...ending(9)]
    await store().writer.write([{ fid: one, records: records.slice(0, 7) }])
    await store().writer.write([{ fid: one, records }])
    await store().writer.write([{ fid: two, records: [...opening(E1), step(6, a)] }])
    const after = await store().contents.totals()
    expect(after.named - before.named).toBe(4)
    expect(after.bytes - before.bytes).toBe(400_000)
    expect(after.distinct - before.distinct).toBe(2)
    expect(after.stored - before.stored).toBe(2_000)
    expect(await store().contents.get(one, b)).toEqual({ sha256: b, bytes: 100_000, stored: 1_000 })
    expect(await store().contents.get(two, b)).toBeUndefined()
    expect(await store().contents.get('no run', a)).toBeUndefined()
    expect([...(await named())].filter((hash) => hash === a || hash === b)).toHaveLength(2)
  })

  test('also from behind a hole, in an epoch that was closed, and in records that are stored without being folded', async () => {
    const [late, copied] = [someHash(), someHash()]
    const fid = someFid()
    await store().runs.create(someRun(fid))
    await store().writer.write([{ fid, records: [...opening(E1), step(8, late)] }])
    expect(await named()).toContain(late)
    await store().writer.write([{ fid, records: lines(E1, 6, 2) }])
    const fork = someFid()
    await store().keeper.addRecords({ fid: fork, user: 'ada' }, [...opening(E1), step(6, copied)])
    expect((await store().contents.get(fork, copied))?.bytes).toBe(100_000)
    expect(await named()).toContain(copied)
  })

  test('a run that is taken away names nothing any more, and what others name too stays named', async () => {
    const [own, shared] = [someHash(), someHash()]
    const [gone, stays] = [someFid(), someFid()]
    for (const fid of [gone, stays]) {
      await store().runs.create(someRun(fid))
      await store().writer.write([{ fid, records: [...opening(E1), step(6, shared), ...(fid === gone ? [step(7, own), ...ending(8)] : ending(7))] }])
    }
    expect(await store().keeper.remove([gone], LATER)).toEqual([gone])
    const rest = await named()
    expect([rest.has(own), rest.has(shared)]).toEqual([false, true])
  })

  test('rows of a run of which nothing is stored any more, as an old snapshot brings them back, name nothing', async () => {
    const hash = someHash()
    const before = await store().contents.totals()
    await store().keeper.putSideRows('run_contents', [{ fid: someFid(), epoch: E1, seq: 6, hash, bytes: 100_000, stored: 1_000 }])
    expect(await named()).not.toContain(hash)
    expect(await store().contents.totals()).toEqual(before)
  })

  test('what large results take counts with their run, equal ones once', async () => {
    const [a, b] = [someHash(), someHash()]
    const weigh = async (large: readonly EventRecord[]): Promise<number> => {
      const fid = someFid()
      await store().runs.create(someRun(fid, { createdAt: LATER - 1 }))
      await store().writer.write([{ fid, records: [...opening(E1), ...large, ...ending(6 + large.length)] }])
      const { items } = await store().keeper.ended({ endedBefore: LATER + 10, limit: 100 })
      return items.find((run) => run.fid === fid)?.bytes ?? 0
    }
    const large = await weigh([step(6, a, 9_000_000, 5_000_000), step(7, a, 9_000_000, 5_000_000), step(8, b, 9_000_000, 1_000_000)])
    expect(large).toBeGreaterThan(6_000_000)
    expect(large).toBeLessThan(7_000_000)
    expect(await weigh(lines(E1, 6, 3))).toBeLessThan(1_000_000)
  })

  test('folded anew from its events, a run names again what it named, and every row can be copied', async () => {
    const hash = someHash()
    const fid = someFid()
    await store().runs.create(someRun(fid))
    await store().writer.write([{ fid, records: [...opening(E1), step(6, hash), ...ending(7)] }])
    const rows = await store().keeper.sideRows('run_contents')
    expect(rows.filter((row) => row['fid'] === fid)).toEqual([{ fid, epoch: E1, seq: 6, hash, bytes: 100_000, stored: 1_000 }])
    await store().keeper.putSideRows('run_contents', rows)
    expect((await store().keeper.sideRows('run_contents')).length).toBe(rows.length)
    await store().keeper.refold([{ fid, home: null }], { mode: 'decided', write: true, launcher: '' })
    expect((await store().contents.get(fid, hash))?.stored).toBe(1_000)
  })

  test('what was set aside is in use: it may be stored yet', async () => {
    const hash = someHash()
    await store().dead.add({ fid: someFid(), position: `${E1}-6`, reason: 'r', body: JSON.stringify([step(6, hash)]), at: START })
    expect(await named()).toContain(hash)
  })

  test('results that only look like it name nothing', async () => {
    const fid = someFid()
    await store().runs.create(someRun(fid))
    const result = { content: { sha256: someHash(), bytes: 1, stored: 1 } }
    const inline = record(E1, 6, 'step', { phase: 'finished', id: 's#1', name: 's', try: 1, duration_s: 1, result }, 's#1')
    await store().writer.write([{ fid, records: [...plainRun(E1, 0).slice(0, 5), inline] }])
    expect(await named()).not.toContain(result.content.sha256)
  })
}
