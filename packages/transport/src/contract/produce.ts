import { FencedError, ORIGIN, RefusedError, type NewEvent } from '@koco/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createProducer, type ProducerOptions } from '../producer/producer.ts'
import { anyFid, CommittingConsumer, type OpenTransport, type TransportUnderTest } from './harness.ts'

const first: NewEvent = { kind: 'attempt', data: { attempt: 1, reason: 'start', owner: 'worker-1' }, ts: 1 }
const said = (text: string): NewEvent => ({ kind: 'stdout', data: { text }, ts: 2 })

/** The suite of the producer over a real transport with a consumer that commits. */
export function producerContract(open: OpenTransport): void {
  let at: TransportUnderTest
  let store: CommittingConsumer
  let fid: string

  beforeEach(async () => {
    at = await open()
    store = new CommittingConsumer(at.transport.consumer('spooler-0'))
    fid = anyFid()
    await at.transport.streams.create(fid, ORIGIN)
  })

  afterEach(async () => {
    await store.stop()
    await at.close()
  })

  function producer(epoch: number, more: Partial<ProducerOptions> = {}) {
    const storeTop = () => Promise.resolve({ top: store.top(fid), ended: false })
    return createProducer({ streams: at.transport.streams, fid, flow: 'trip', epoch, storeTop, ...more })
  }

  test('events are numbered at once, sent in batches and stored once, in order', async () => {
    const writer = producer(1000)
    expect(writer.emit(first)).toEqual({ epoch: 1000, seq: 1 })
    for (let i = 2; i <= 500; i++) expect(writer.emit(said(`line ${i}`))).toEqual({ epoch: 1000, seq: i })
    await writer.flush()
    expect(writer.prev).toEqual(ORIGIN)
    await writer.close(1000)
    await expect.poll(() => store.records(fid).map((record) => record.seq)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
  })

  test('events go out by themselves soon after they were emitted', async () => {
    const writer = producer(1000)
    writer.emit(first)
    await expect.poll(() => store.records(fid).length).toBe(1)
    await writer.close(1000)
  })

  test('a later epoch fences an earlier one, which then takes nothing more', async () => {
    const old = producer(1000)
    old.emit(first)
    await old.flush()
    const next = producer(2000)
    next.emit(first)
    await next.flush()
    expect(next.prev).toEqual({ epoch: 1000, seq: 1 })
    old.emit(said('zombie'))
    await expect(old.flush()).rejects.toBeInstanceOf(FencedError)
    expect(old.stopped.reason).toMatchObject({ code: 'fenced' })
    expect(() => old.emit(said('again'))).toThrow(FencedError)
    await old.close(10)
    await next.close(1000)
  })

  test('a ring that is full waits for the store and goes on', async () => {
    const writer = producer(1000, { ringBytes: 2000 })
    writer.emit(first)
    for (let i = 0; i < 200; i++) writer.emit(said('x'.repeat(100)))
    await writer.flush()
    await expect.poll(() => store.records(fid).length).toBe(201)
    await writer.close(1000)
  })

  test('an event that is too large is refused by name and takes no number', async () => {
    const writer = producer(1000)
    writer.emit(first)
    expect(() => writer.emit({ ...said('x'.repeat(300_000)), step: 'fetch#1' })).toThrow(/step "fetch#1" of flow "trip"/)
    expect(writer.emit(said('next'))).toEqual({ epoch: 1000, seq: 2 })
    await writer.close(1000)
  })

  test('emitting far faster than anybody stores is refused, not a matter of memory', async () => {
    const writer = producer(1000, { queueBytes: 10_000 })
    writer.emit(first)
    expect(() => {
      for (let i = 0; i < 1000; i++) writer.emit(said('x'.repeat(100)))
    }).toThrow(RefusedError)
    await writer.close(5000)
  })

  test('a stream that is gone is made again from the store, and nothing is missing', async () => {
    const writer = producer(1000)
    writer.emit(first)
    for (let i = 2; i <= 20; i++) writer.emit(said(`line ${i}`))
    await writer.flush()
    await expect.poll(() => store.records(fid).length).toBe(20)
    await at.wipe(fid)
    writer.emit(said('line 21'))
    await writer.flush()
    await expect.poll(() => store.records(fid).map((record) => record.seq)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1))
    await writer.close(1000)
  })

  test('a run that is over and whose stream is gone takes nothing more', async () => {
    const writer = producer(1000, { storeTop: () => Promise.resolve({ top: { epoch: 1000, seq: 1 }, ended: true }) })
    fid = anyFid()
    const late = producer(1000, { fid, storeTop: () => Promise.resolve({ top: { epoch: 1000, seq: 1 }, ended: true }) })
    late.emit(first)
    await expect(late.flush()).rejects.toMatchObject({ code: 'run_ended' })
    await writer.close(10)
  })

  test('a retry opens the stream of an ended run again', async () => {
    fid = anyFid()
    const writer = producer(2000, { fid, storeTop: () => Promise.resolve({ top: { epoch: 1000, seq: 9 }, ended: true }) })
    writer.emit(first)
    await writer.flush()
    expect(writer.prev).toEqual({ epoch: 1000, seq: 9 })
    await writer.close(1000)
  })

  test('a flush that is aborted rejects with the reason; the events are sent all the same', async () => {
    const writer = producer(1000)
    writer.emit(first)
    const reason = new Error('enough')
    const abort = new AbortController()
    const flushed = writer.flush(abort.signal)
    abort.abort(reason)
    await expect(flushed).rejects.toBe(reason)
    await writer.flush()
    await writer.close(1000)
  })

  test('a close that cannot send says how much was left', async () => {
    fid = anyFid()
    const never = new Promise<never>(() => {})
    const writer = producer(1000, { fid, storeTop: () => never })
    writer.emit(first)
    await expect(writer.close(20)).rejects.toMatchObject({ code: 'events_unsent' })
    await expect(writer.flush()).rejects.toMatchObject({ code: 'events_unsent' })
  })
}
