// Goal: what is written is stored once and in order, whatever is sent twice, late or cut elsewhere. Method: real writes, then the timeline and the run.
import { parsePosition } from '@koco/core'
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { RunRecords, WriteResult } from '../port/events.ts'
import { attempt, lines, meta, opening, plainRun, positions, record, someFid, someRun, START, status, timeline } from './scenario.ts'

const E1 = START * 1000
const E2 = E1 + 5000
const E3 = E1 + 9000

/** The rules of EventWriter. */
export function describeWriting(store: () => ExecutionStore): void {
  const write = async (...batch: RunRecords[]): Promise<WriteResult> => await store().writer.write(batch)

  test('a plain run is stored, folded and given back byte for byte', async () => {
    const fid = someFid()
    await store().runs.create(someRun(fid))
    const records = plainRun(E1, 20)
    const result = await write({ fid, records })
    expect(result).toEqual({ runs: [{ fid, top: { epoch: E1, seq: 27 }, ended: true, inserted: 27, duplicates: 0 }], alarms: [] })
    expect(await timeline(store(), fid)).toEqual(records)
    const run = await store().runs.get(fid)
    expect(run).toMatchObject({
      status: 'finished',
      events: 27,
      attempt: 1,
      user: 'ada',
      launcher: 'direct',
      inputs: { city: 'Rome' },
      lastPosition: { epoch: E1, seq: 27 },
    })
    expect(run).toMatchObject({ createdAt: START, startedAt: START + 5 / 8, finishedAt: START + 27 / 8, final: { type: 'markdown', value: '# Rome' } })
  })

  test('a batch that is written twice is stored once, and the second time counts as duplicates', async () => {
    const fid = someFid()
    const records = plainRun(E1, 5)
    await write({ fid, records })
    const again = await write({ fid, records })
    expect(again).toEqual({ runs: [{ fid, top: { epoch: E1, seq: 12 }, ended: true, inserted: 0, duplicates: 12 }], alarms: [] })
    expect(await timeline(store(), fid)).toEqual(records)
  })

  test('overlapping batches store each event once', async () => {
    const fid = someFid()
    const records = plainRun(E1, 93)
    await write({ fid, records: records.slice(0, 60) })
    const second = await write({ fid, records: records.slice(40) })
    expect(second.runs[0]).toMatchObject({ inserted: 40, duplicates: 20, top: { epoch: E1, seq: 100 } })
    expect(await timeline(store(), fid)).toEqual(records)
  })

  test('a record twice in one batch counts once', async () => {
    const fid = someFid()
    const [first, ...rest] = opening(E1)
    if (!first) throw new Error('an opening has a first record')
    const result = await write({ fid, records: [first, first, ...rest] })
    expect(result.runs[0]).toMatchObject({ inserted: 5, duplicates: 1 })
    expect(result.alarms).toEqual([])
  })

  test('two entries of one run in one batch are one run of records', async () => {
    const fid = someFid()
    const records = plainRun(E1, 5)
    const result = await write({ fid, records: records.slice(0, 4) }, { fid: someFid(), records: opening(E1) }, { fid, records: records.slice(4) })
    expect(result.runs.find((run) => run.fid === fid)).toMatchObject({ inserted: 12, top: { epoch: E1, seq: 12 } })
    expect(await timeline(store(), fid)).toEqual(records)
  })

  test('events that come before their predecessors are stored, and shown when the hole is filled', async () => {
    const fid = someFid()
    const records = plainRun(E1, 93)
    const late = await write({ fid, records: records.slice(50) })
    expect(late.runs[0]).toMatchObject({ inserted: 50, top: { epoch: 0, seq: 0 }, ended: false })
    expect(await timeline(store(), fid)).toEqual([])
    const filled = await write({ fid, records: records.slice(0, 50) })
    expect(filled.runs[0]).toMatchObject({ inserted: 50, top: { epoch: E1, seq: 100 }, ended: true })
    expect(await timeline(store(), fid)).toEqual(records)
    expect(await store().runs.get(fid)).toMatchObject({ status: 'finished', events: 100 })
  })

  test('an epoch that comes before the end of the one before waits for it', async () => {
    const fid = someFid()
    const first = [...opening(E1), ...lines(E1, 6, 3)]
    const second = [attempt(E2, { epoch: E1, seq: 8 }, { reason: 'recover' }), status(E2, 2, 'running'), ...lines(E2, 3, 3)]
    await write({ fid, records: first.slice(0, 4) })
    const early = await write({ fid, records: second })
    expect(early.runs[0]).toMatchObject({ top: { epoch: E1, seq: 4 }, inserted: 5 })
    await write({ fid, records: first.slice(4) })
    expect(await timeline(store(), fid)).toEqual([...first, ...second])
    expect(await store().runs.get(fid)).toMatchObject({ attempt: 2, events: 13 })
  })

  test('what an epoch wrote above its seal is stored, left out and reported, whether it comes before or after the seal', async () => {
    const fid = someFid()
    const first = [...opening(E1), ...lines(E1, 6, 1)]
    const second = [attempt(E2, { epoch: E1, seq: 6 }, { reason: 'recover' }), ...lines(E2, 2, 2)]
    await write({ fid, records: first })
    const together = await write({ fid, records: [...lines(E1, 7, 2), ...second] })
    expect(together.alarms.map((alarm) => [alarm.alarm, alarm.position.seq])).toEqual([
      ['fenced', 7],
      ['fenced', 8],
    ])
    const later = await write({ fid, records: lines(E1, 9, 1) })
    expect(later.alarms).toMatchObject([{ fid, alarm: 'fenced', position: { epoch: E1, seq: 9 } }])
    expect(later.runs[0]).toMatchObject({ inserted: 1, top: { epoch: E2, seq: 3 } })
    const again = await write({ fid, records: lines(E1, 9, 1) })
    expect(again.runs[0]).toMatchObject({ inserted: 0, duplicates: 1 })
    expect(await timeline(store(), fid)).toEqual([...first, ...second])
    expect(await store().runs.get(fid)).toMatchObject({ events: 9 })
  })

  test('a declared loss is stepped over and told to the reader', async () => {
    const fid = someFid()
    const first = opening(E1)
    const rest = lines(E1, 9, 2)
    const lost = { from: `${E1}-6`, to: `${E1}-8` }
    const second = [attempt(E2, { epoch: E1, seq: 10 }, { reason: 'recover', lost }), ...lines(E2, 2, 2)]
    await write({ fid, records: [...first, ...rest] })
    expect(positions(await timeline(store(), fid)).at(-1)).toBe(`${E1}-5`)
    await write({ fid, records: second })
    expect(await timeline(store(), fid)).toEqual([...first, ...rest, ...second])
    const page = await store().reader.read(fid, { after: { epoch: E1, seq: 4 }, limit: 100 })
    expect(page.lost).toEqual([{ from: { epoch: E1, seq: 6 }, to: { epoch: E1, seq: 8 } }])
    const beyond = await store().reader.read(fid, { after: { epoch: E1, seq: 9 }, limit: 100 })
    expect(beyond.lost).toEqual([])
  })

  test('a loss at the end of an epoch is told before the next one', async () => {
    const fid = someFid()
    const lost = { from: `${E1}-6`, to: `${E1}-9` }
    const second = [attempt(E2, { epoch: E1, seq: 5 }, { reason: 'recover', lost }), ...lines(E2, 2, 1)]
    await write({ fid, records: [...opening(E1), ...second] })
    const page = await store().reader.read(fid, { after: { epoch: E1, seq: 5 }, limit: 1 })
    expect(page.records).toEqual(second.slice(0, 1))
    expect(page.lost).toEqual([{ from: { epoch: E1, seq: 6 }, to: { epoch: E1, seq: 9 } }])
    const fenced = await write({ fid, records: lines(E1, 7, 1) })
    expect(fenced.alarms).toMatchObject([{ alarm: 'fenced' }])
    expect(positions(await timeline(store(), fid))).toEqual([...positions(opening(E1)), ...positions(second)])
  })

  test('another content at a taken position is an alarm, and the first stays', async () => {
    const fid = someFid()
    const records = opening(E1)
    await write({ fid, records })
    const result = await write({ fid, records: [status(E1, 5, 'cancelled')] })
    expect(result.alarms).toMatchObject([{ fid, alarm: 'conflict', position: { epoch: E1, seq: 5 } }])
    expect(result.runs[0]).toMatchObject({ inserted: 0, duplicates: 1, ended: false })
    expect(await timeline(store(), fid)).toEqual(records)
  })

  test('a status that may not follow is an alarm; the event is stored and counted', async () => {
    const fid = someFid()
    const records = [...plainRun(E1, 0), status(E1, 8, 'running')]
    const result = await write({ fid, records })
    expect(result.alarms).toMatchObject([{ fid, alarm: 'impossible', position: { epoch: E1, seq: 8 } }])
    expect(await timeline(store(), fid)).toEqual(records)
    expect(await store().runs.get(fid)).toMatchObject({ status: 'finished', events: 8 })
  })

  test('a retry opens an ended run again', async () => {
    const fid = someFid()
    const first = plainRun(E1, 1)
    await write({ fid, records: first })
    const retry = [attempt(E2, { epoch: E1, seq: 8 }, { reason: 'retry', attempt: 2 }), status(E2, 2, 'running')]
    const result = await write({ fid, records: retry })
    expect(result.runs[0]).toMatchObject({ ended: false })
    expect(await store().runs.get(fid)).toMatchObject({ status: 'running', final: null, finishedAt: null, attempt: 2 })
    await write({ fid, records: [attempt(E3, { epoch: E2, seq: 2 }, { reason: 'finalise' }), status(E3, 2, 'cancelled')] })
    expect(await store().runs.get(fid)).toMatchObject({ status: 'cancelled', attempt: 2, events: 12 })
    expect(await timeline(store(), fid)).toHaveLength(12)
  })

  test('a run that nobody created gets its row from its events', async () => {
    const fid = someFid(7)
    await write({ fid, records: opening(E1).slice(0, 3) })
    expect(await store().runs.get(fid)).toMatchObject({ user: '', flow: '', createdAt: START + 7 })
    await write({ fid, records: [meta(E1, 4, { user: 'bob', parent: 'x' })] })
    expect(await store().runs.get(fid)).toMatchObject({ user: 'bob', flow: 'trip-planner', parent: 'x' })
  })

  test('kinds of later versions are stored, counted and given back', async () => {
    const fid = someFid()
    const records = [...opening(E1), { ...record(E1, 6, 'debug', { type: 'text', value: '' }), kind: 'hologram', data: '{"depth":3}', step: 'ü/1' }]
    await write({ fid, records })
    expect(await timeline(store(), fid)).toEqual(records)
    expect(await store().runs.get(fid)).toMatchObject({ events: 6 })
  })

  test('usage, progress, error and wake time are folded', async () => {
    const fid = someFid()
    const tokens = { input_uncached: 1, cache_read: 2, cache_write: 3, output: 4, reasoning: 5 }
    const model = { provider: 'p', model: 'm', duration_s: 1, tokens, cost: 0.5 }
    await write({
      fid,
      records: [
        ...opening(E1),
        record(E1, 6, 'model', model),
        record(E1, 7, 'model', { ...model, cost: null }),
        record(E1, 8, 'progress', { done: 2, total: 5, text: 'half' }),
        record(E1, 9, 'error', { name: 'Error', message: 'no' }),
        status(E1, 10, 'awaiting', START + 60),
      ],
    })
    expect(await store().runs.get(fid)).toMatchObject({
      usage: { calls: 2, input_uncached: 2, cache_read: 4, cache_write: 6, output: 8, reasoning: 10, cost: 0.5 },
      progress: { done: 2, total: 5, text: 'half' },
      error: { name: 'Error', message: 'no' },
      wakeAt: START + 60,
      deaths: 0,
    })
  })

  test('a poison record refuses the whole batch, and the others can be written without it', async () => {
    const [good, bad] = [someFid(), someFid()]
    const records = opening(E1)
    const poisoned = [{ ...attempt(E1, { epoch: 0, seq: 0 }), data: '{"text":"\0"}' }]
    await expect(write({ fid: good, records }, { fid: bad, records: poisoned })).rejects.toMatchObject({ name: 'PoisonError' })
    await expect(write({ fid: bad, records: [{ ...status(E1, 1, 'running'), data: 'no json' }] })).rejects.toMatchObject({ name: 'PoisonError' })
    expect(await timeline(store(), good)).toEqual([])
    await write({ fid: good, records })
    expect(await timeline(store(), good)).toEqual(records)
  })

  test('fids that are none, positions that are none and empty batches', async () => {
    const wrong = { fid: '../../../etc/passwd', records: opening(E1) }
    await expect(write(wrong)).rejects.toMatchObject({ name: 'PoisonError' })
    await expect(write({ fid: someFid(), records: [status(E1, 0, 'running')] })).rejects.toMatchObject({ name: 'PoisonError' })
    expect(await write()).toEqual({ runs: [], alarms: [] })
  })

  test('writes in flight at once to one run are stored once and in order', async () => {
    const fid = someFid()
    const records = plainRun(E1, 193)
    const cuts = Array.from({ length: 20 }, (_, i) => records.slice(i * 10, i * 10 + 15))
    await Promise.all(cuts.map((cut) => write({ fid, records: cut })))
    expect(await timeline(store(), fid, 64)).toEqual(records)
    expect(parsePosition(positions(records).at(-1) ?? '')).toEqual((await store().runs.get(fid))?.lastPosition)
  })
}
