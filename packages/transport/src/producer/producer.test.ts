// Goal: whatever a stream does, a producer's events end up stored once, in order, none missing. Method: a stream in small that loses replies, refuses, forgets and falls back
// as fast-check says, in front of a store that takes entries when fast-check says; plus the cases that chance rarely meets, one by one.
import fc from 'fast-check'
import {
  comparePositions,
  FencedError,
  formatPosition,
  ORIGIN,
  RefusedError,
  UnavailableError,
  type EventRecord,
  type NewEvent,
  type Position,
} from '@koco/core'
import { within } from '@koco/testing'
import { expect, test } from 'vitest'
import { judgeAppend, sealData } from '../append-rule.ts'
import type { AppendAnswer, EventStreams, RecordBody } from '../port.ts'
import { createProducer, type ProducerOptions } from './producer.ts'

type Fault = 'none' | 'refused' | 'reply lost' | 'busy' | 'wiped' | 'fell back' | 'committed'

const TEST_MS = 60_000
const FID = '0'.repeat(24)
const first: NewEvent = { kind: 'attempt', data: { attempt: 1, reason: 'start', owner: 'worker-1' }, ts: 1 }
const said = (text: string): NewEvent => ({ kind: 'stdout', data: { text }, ts: 2 })
const away = () => new UnavailableError('The link was cut.', { code: 'redis_unavailable' })

/** A run's stream and its store. Each append meets the next fault. */
class ChaoticStreams implements EventStreams {
  readonly commits = false
  readonly stored = new Map<string, string>()
  readonly listeners = new Set<(top: Position) => void>()
  storeTop: Position = ORIGIN
  #log: EventRecord[] | undefined = []
  #top: Position = ORIGIN
  readonly #faults: Fault[]

  constructor(faults: readonly Fault[]) {
    this.#faults = [...faults]
  }

  async create(_fid: string, floor: Position): Promise<void> {
    this.#log ??= []
    if (comparePositions(floor, this.#top) > 0) this.#top = floor
  }

  async append(_fid: string, epoch: number, firstSeq: number, records: readonly RecordBody[]): Promise<AppendAnswer> {
    const fault = this.#faults.shift() ?? 'none'
    if (fault === 'refused') throw away()
    if (fault === 'busy') return { answer: 'busy', top: this.#top }
    if (fault === 'wiped') this.#wipe()
    if (fault === 'fell back') this.#fallBack()
    if (fault === 'committed') this.commit()
    const answer = this.#append(epoch, firstSeq, records)
    if (fault === 'reply lost') throw away()
    return answer
  }

  #append(epoch: number, firstSeq: number, records: readonly RecordBody[]): AppendAnswer {
    if (!this.#log) return { answer: 'nostream' }
    const verdict = judgeAppend(this.#top, epoch, firstSeq, records.length)
    if (verdict.answer === 'ok') {
      for (const [i, body] of records.entries()) {
        if (i < verdict.skip) continue
        const data = firstSeq + i === 1 ? sealData(body.data, this.#top) : body.data
        this.#top = { epoch, seq: firstSeq + i }
        this.#log.push({ ...body, ...this.#top, data })
      }
    }
    return { answer: verdict.answer, top: this.#top }
  }

  #wipe(): void {
    this.#log = undefined
    this.#top = ORIGIN
  }

  #fallBack(): void {
    this.#log = this.#log?.slice(0, Math.floor(this.#log.length / 2))
    this.#top = this.#log?.at(-1) ?? ORIGIN
  }

  /** The store takes what the stream has; two contents at one position are the end of the test. */
  commit(): void {
    for (const record of this.#log ?? []) {
      const position = formatPosition(record)
      const known = this.stored.get(position)
      if (known !== undefined && known !== record.data) throw new Error(`${position} was stored with other content`)
      this.stored.set(position, record.data)
      if (comparePositions(record, this.storeTop) > 0) this.storeTop = { epoch: record.epoch, seq: record.seq }
    }
    for (const listener of this.listeners) listener(this.storeTop)
  }

  async top(): Promise<Position> {
    return this.#top
  }

  async close(): Promise<void> {}
}

function producerOver(streams: ChaoticStreams, more: Partial<ProducerOptions> = {}) {
  return createProducer({
    streams,
    fid: FID,
    flow: 'trip',
    epoch: 1000,
    storeTop: () => Promise.resolve({ top: streams.storeTop, ended: false }),
    committed: (listener) => {
      streams.listeners.add(listener)
      return () => streams.listeners.delete(listener)
    },
    // The shortest delays that jitter allows.
    random: () => 0,
    ...more,
  })
}

const fault = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Fault>('none') },
  { weight: 5, arbitrary: fc.constantFrom<Fault>('refused', 'reply lost', 'busy', 'wiped', 'fell back', 'committed') },
)

test('whatever the stream does, every event is stored once, in order', { timeout: TEST_MS }, async () => {
  const bursts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 14 }), bursts, async (faults, sizes) => {
      const streams = new ChaoticStreams(faults)
      const writer = producerOver(streams, { batchSize: 10 })
      writer.emit(first)
      for (const size of sizes) {
        for (let i = 0; i < size; i++) writer.emit(said(`line ${i}`))
        await writer.flush()
      }
      await writer.close(1000)
      streams.commit()
      const total = sizes.reduce((sum, size) => sum + size, 1)
      const missing = Array.from({ length: total }, (_, i) => `1000-${i + 1}`).filter((position) => !streams.stored.has(position))
      // What a wipe took after the last append is the next try's to find; everything else is stored.
      expect(missing).toEqual([])
      expect(streams.stored.size).toBe(total)
    }),
    { numRuns: 150, ...within(TEST_MS) },
  )
})

test('batches gather while an append is in flight', async () => {
  const sizes: number[] = []
  const gate = Promise.withResolvers<void>()
  const streams = new ChaoticStreams([])
  const append = streams.append.bind(streams)
  streams.append = async (...args) => {
    sizes.push(args[3].length)
    await gate.promise
    return append(...args)
  }
  const writer = producerOver(streams)
  writer.emit(first)
  const flushed = writer.flush()
  for (let i = 0; i < 120; i++) writer.emit(said(`line ${i}`))
  const all = writer.flush()
  gate.resolve()
  await Promise.all([flushed, all])
  expect(sizes).toEqual([1, 120])
  await writer.close(100)
})

test('a full ring sends nothing more until the store has taken some of it', async () => {
  const streams = new ChaoticStreams([])
  const writer = producerOver(streams, { ringBytes: 1000 })
  writer.emit(first)
  for (let i = 0; i < 20; i++) {
    writer.emit(said('x'.repeat(200)))
    if (i < 3) await writer.flush()
  }
  const flushed = writer.flush()
  expect(await Promise.race([flushed.then(() => 'sent'), Promise.resolve('waits')])).toBe('waits')
  const filled = await streams.top()
  expect(filled.seq).toBeLessThan(21)
  const committing = setInterval(() => streams.commit(), 1)
  await flushed
  clearInterval(committing)
  expect(await streams.top()).toEqual({ epoch: 1000, seq: 21 })
  await writer.close(100)
})

test('a store that has a later epoch stops the producer', async () => {
  const streams = new ChaoticStreams(['wiped'])
  streams.storeTop = { epoch: 2000, seq: 1 }
  const writer = producerOver(streams)
  writer.emit(first)
  await expect(writer.flush()).rejects.toBeInstanceOf(FencedError)
})

test('an answer that no retry changes stops the producer with its reason', async () => {
  const streams = new ChaoticStreams([])
  const denied = new RefusedError('No access.', { code: 'redis_denied' })
  streams.append = () => Promise.reject(denied)
  const writer = producerOver(streams)
  writer.emit(first)
  await expect(writer.flush()).rejects.toBe(denied)
  expect(() => writer.emit(said('more'))).toThrow(denied)
  await writer.close(10)
})

test('the first event of an epoch is its attempt', () => {
  const writer = producerOver(new ChaoticStreams([]))
  expect(() => writer.emit(said('too early'))).toThrow('must be the attempt')
})
