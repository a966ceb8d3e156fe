import { ORIGIN } from '@koco/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { EventStreams, StreamConsumer } from '../port.ts'
import { anyFid, attempt, CommittingConsumer, endOf, line, opening, type OpenTransport, type TransportUnderTest } from './harness.ts'

/**
 * The suite of append: its six answers, the seal, the floor. A consumer commits in the background, because an append in memory waits for the commit.
 */
export function appendContract(open: OpenTransport): void {
  let at: TransportUnderTest
  let streams: EventStreams
  let store: CommittingConsumer
  let fid: string

  beforeEach(async () => {
    at = await open()
    streams = at.transport.streams
    store = new CommittingConsumer(at.transport.consumer('spooler-0'))
    fid = anyFid()
    await streams.create(fid, ORIGIN)
  })

  afterEach(async () => {
    await store.stop()
    await at.close()
  })

  test('ok: the records of a new epoch are taken and its first one carries the seal', async () => {
    expect(await streams.append(fid, 1000, 1, opening(2))).toEqual({ answer: 'ok', top: { epoch: 1000, seq: 3 }, prev: ORIGIN })
    expect(await streams.append(fid, 2000, 1, [attempt()])).toEqual({ answer: 'ok', top: { epoch: 2000, seq: 1 }, prev: { epoch: 1000, seq: 3 } })
    expect(await streams.top(fid)).toEqual({ epoch: 2000, seq: 1 })
  })

  test('records come out as they went in', async () => {
    const nasty = { kind: 'stdout', ts: 1_712_345_678.123456, step: 'fetch a b#2 – ü', data: '{"text":"line\\nbreak \\"quoted\\" 日本 🙂"}' }
    await streams.append(fid, 1000, 1, [{ ...attempt(), data: '{}' }, nasty, { ...nasty, step: '', data: '{"v":1e300}' }])
    await streams.append(fid, 1000, 4, [line('sync')])
    await expect.poll(() => store.records(fid).length).toBe(4)
    expect(store.records(fid).slice(0, 3)).toEqual([
      { ...attempt(), epoch: 1000, seq: 1, data: '{"prev":"0-0"}' },
      { ...nasty, epoch: 1000, seq: 2 },
      { ...nasty, epoch: 1000, seq: 3, step: null, data: '{"v":1e300}' },
    ])
  })

  test('the seal is added behind what the attempt says', async () => {
    await streams.append(fid, 1000, 1, opening(1))
    await streams.append(fid, 3000, 1, [attempt('worker-2')])
    await expect.poll(() => store.records(fid).length).toBe(3)
    expect(JSON.parse(store.records(fid)[2]?.data ?? '')).toEqual({ attempt: 1, reason: 'start', owner: 'worker-2', prev: '1000-2' })
  })

  test('dup: what is there already is not written again, and the seal is given once more', async () => {
    const batch = opening(2)
    await streams.append(fid, 1000, 1, batch)
    expect(await streams.append(fid, 1000, 1, batch)).toEqual({ answer: 'dup', top: { epoch: 1000, seq: 3 }, prev: ORIGIN })
    expect(await streams.append(fid, 1000, 2, batch.slice(1))).toEqual({ answer: 'dup', top: { epoch: 1000, seq: 3 } })
  })

  test('ok: an overlap is skipped and the missing tail appended', async () => {
    await streams.append(fid, 1000, 1, opening(1))
    expect(await streams.append(fid, 1000, 1, opening(3))).toEqual({ answer: 'ok', top: { epoch: 1000, seq: 4 }, prev: ORIGIN })
    await expect.poll(() => store.records(fid).map((record) => record.seq)).toEqual([1, 2, 3, 4])
  })

  test('gap: a hole is refused, within an epoch and at the start of one', async () => {
    await streams.append(fid, 1000, 1, opening(1))
    expect(await streams.append(fid, 1000, 4, [line('4')])).toEqual({ answer: 'gap', top: { epoch: 1000, seq: 2 } })
    expect(await streams.append(fid, 2000, 2, [line('2')])).toEqual({ answer: 'gap', top: { epoch: 1000, seq: 2 } })
    expect(await streams.top(fid)).toEqual({ epoch: 1000, seq: 2 })
  })

  test('fenced: an earlier epoch writes no more', async () => {
    await streams.append(fid, 1000, 1, opening(1))
    await streams.append(fid, 2000, 1, opening(0))
    expect(await streams.append(fid, 1000, 3, [line('zombie')])).toEqual({ answer: 'fenced', top: { epoch: 2000, seq: 1 } })
  })

  test('fenced: of two writers with one epoch the second is told at its first append', async () => {
    await streams.append(fid, 1000, 1, opening(2, 'worker-1'))
    expect(await streams.append(fid, 1000, 1, opening(0, 'worker-2'))).toMatchObject({ answer: 'fenced' })
    expect(await streams.append(fid, 1000, 1, opening(5, 'worker-2'))).toMatchObject({ answer: 'fenced' })
  })

  test('nostream: only create makes a stream', async () => {
    const other = anyFid()
    expect(await streams.append(other, 1000, 1, opening(0))).toEqual({ answer: 'nostream' })
    expect(await streams.top(other)).toBeUndefined()
  })

  test('create raises the top to the floor and never lowers it', async () => {
    await streams.append(fid, 1000, 1, opening(1))
    await streams.create(fid, { epoch: 1000, seq: 1 })
    expect(await streams.top(fid)).toEqual({ epoch: 1000, seq: 2 })
    await streams.create(fid, { epoch: 1000, seq: 7 })
    expect(await streams.append(fid, 1000, 3, [line('3')])).toEqual({ answer: 'dup', top: { epoch: 1000, seq: 7 } })
    expect(await streams.append(fid, 1000, 8, [line('8')])).toEqual({ answer: 'ok', top: { epoch: 1000, seq: 8 } })
    const restored = anyFid()
    await streams.create(restored, { epoch: 5000, seq: 12 })
    expect(await streams.append(restored, 6000, 1, opening(0))).toMatchObject({ answer: 'ok', prev: { epoch: 5000, seq: 12 } })
  })

  test('a floor above what the stream has is what the next seal names: the store has the events that this stream lost', async () => {
    await streams.append(fid, 1000, 1, opening(2))
    await streams.create(fid, { epoch: 1000, seq: 5 })
    expect(await streams.append(fid, 2000, 1, opening(0))).toMatchObject({ answer: 'ok', prev: { epoch: 1000, seq: 5 } })
  })

  test('a record of 256 KiB passes', async () => {
    const large = line('x'.repeat(256 * 1024 - 20))
    await streams.append(fid, 1000, 1, [attempt(), large])
    await expect.poll(() => store.records(fid)[1]?.data === large.data).toBe(true)
  })

  test('what no caller may ask for is an AssertionError', async () => {
    await expect(streams.append(fid, 1000, 1, [])).rejects.toThrow('no batch')
    await expect(streams.append(fid, 0, 1, [attempt()])).rejects.toThrow('no epoch')
    await expect(streams.append(fid, 1000, 1, [{ ...attempt(), data: '[]' }])).rejects.toThrow('JSON object')
  })
}

/** The suite of back-pressure: nobody commits until a test says so. */
export function backPressureContract(open: OpenTransport): void {
  let at: TransportUnderTest
  let consumer: StreamConsumer

  beforeEach(async () => {
    at = await open()
    consumer = at.transport.consumer('spooler-0')
  })

  afterEach(() => at.close())

  test('busy: a full backlog takes nothing more until some of it is acknowledged', async () => {
    const fid = anyFid()
    const { streams } = at.transport
    await streams.create(fid, ORIGIN)
    const filling = streams.append(fid, 1000, 1, opening(at.backlogMax - 1))
    const [held = ''] = await consumer.acquire(1, 5000)
    const next = at.backlogMax + 1
    expect(await streams.append(fid, 1000, next, [line('more')])).toEqual({ answer: 'busy', top: { epoch: 1000, seq: at.backlogMax } })
    const [batch] = await consumer.read([held], at.backlogMax)
    if (batch) await consumer.ack([endOf(batch)])
    expect(await filling).toMatchObject({ answer: 'ok' })
    const taken = streams.append(fid, 1000, next, [line('more')])
    const [rest] = await consumer.read([held], 10)
    if (!streams.commits) await taken
    const [last] = rest?.entries.length ? [rest] : await consumer.read([held], 10)
    if (last) await consumer.ack([endOf(last)])
    expect(await taken).toMatchObject({ answer: 'ok' })
  })
}
