// Goal: a broken link or a Redis that forgot loses no event, doubles none and lets nothing hang. Method: the fault proxy between koco and a real Redis, observed past the proxy.
import { randomBytes } from 'node:crypto'
import { must, ORIGIN, UnavailableError, type Json, type NewEvent } from '@koco/core'
import { keyPrefix, startFaultProxy, type FaultProxy } from '@koco/testing'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { anyFid, attempt, CommittingConsumer, endOf, line, opening, positions } from '../contract/harness.ts'
import type { Transport } from '../port.ts'
import { createProducer } from '../producer/producer.ts'
import { createRedisTransport } from './transport.ts'

const first: NewEvent = { kind: 'attempt', data: { attempt: 1, reason: 'start', owner: 'worker-1' }, ts: 1 }
const said = (text: string): NewEvent => ({ kind: 'stdout', data: { text }, ts: 2 })

let prefix: string
let direct: Redis
let proxy: FaultProxy
let broken: Transport
let sound: Transport
let fid: string

/** `broken` goes through the proxy, `sound` past it; both are one installation. */
beforeEach(async () => {
  const url = inject('redisUrl')
  prefix = keyPrefix()
  direct = new Redis(url)
  proxy = await startFaultProxy({ port: Number(new URL(url).port) })
  const options = { streamPrefix: `${prefix}events:`, leaseMs: 60_000 }
  broken = createRedisTransport({ url: proxy.url(url), deadlineMs: 2000, ...options })
  sound = createRedisTransport({ url, ...options })
  fid = anyFid()
  await broken.streams.create(fid, ORIGIN)
})

afterEach(async () => {
  proxy.heal()
  await broken.close()
  await sound.close()
  await proxy.close()
  const left = await direct.keys(`${prefix}*`)
  if (left.length > 0) await direct.del(...left)
  direct.disconnect()
})

/** What a call failed with; undefined when it did not. */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call
    return undefined
  } catch (error) {
    return error
  }
}

const key = () => `${prefix}events:${fid}`

test('a reply lost after the append was applied is an unknown outcome, and the same append again is a dup', async () => {
  // The script is made known first: a lost reply to "I do not know this script" would be another story, with nothing applied.
  const known = '0'.repeat(24)
  await broken.streams.create(known, ORIGIN)
  await broken.streams.append(known, 1000, 1, opening(1))
  const swallowed = proxy.dropReplies()
  const failed = failureOf(broken.streams.append(fid, 1000, 1, opening(2)))
  await swallowed
  proxy.heal()
  expect(await failed).toMatchObject({ code: 'redis_unavailable' })
  expect(await broken.streams.append(fid, 1000, 1, opening(2))).toEqual({ answer: 'dup', top: { epoch: 1000, seq: 3 }, prev: ORIGIN })
  expect(await direct.xlen(key())).toBe(3)
})

test('a link that says nothing fails its command at the deadline', async () => {
  await broken.streams.top(fid)
  void proxy.dropReplies()
  await expect(broken.streams.append(fid, 1000, 1, opening(0))).rejects.toBeInstanceOf(UnavailableError)
})

test('a producer whose link is cut again and again sends each event once', async () => {
  const writer = createProducer({ streams: broken.streams, fid, flow: 'trip', epoch: 1000, storeTop: () => Promise.resolve({ top: ORIGIN, ended: false }) })
  writer.emit(first)
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 40; i++) writer.emit(said(`${round}-${i}`))
    const swallowed = round % 2 === 0 ? proxy.dropReplies() : undefined
    const flushed = writer.flush()
    await swallowed
    proxy.heal()
    proxy.cut()
    await flushed
  }
  await writer.close(5000)
  const ids = (await direct.xrange(key(), '-', '+')).map(([id]) => id)
  expect(ids).toEqual(Array.from({ length: 241 }, (_, i) => `1000-${i + 1}`))
})

test('a Redis that lost everything gets the events again that the store has not', async () => {
  let committed = 0
  const storeTop = () => Promise.resolve({ top: { epoch: 1000, seq: committed }, ended: false })
  const writer = createProducer({ streams: sound.streams, fid, flow: 'trip', epoch: 1000, storeTop })
  writer.emit(first)
  for (let i = 2; i <= 100; i++) writer.emit(said(`line ${i}`))
  await writer.flush()
  committed = 60
  await direct.del(key())
  writer.emit(said('line 101'))
  await writer.flush()
  const entries = await direct.xrange(key(), '-', '+')
  expect(entries.map(([id]) => id)).toEqual(Array.from({ length: 41 }, (_, i) => `1000-${i + 61}`))
  await writer.close(1000)
})

test('a Redis that fell back to an older state gets the missing events again', async () => {
  const writer = createProducer({ streams: sound.streams, fid, flow: 'trip', epoch: 1000, storeTop: () => Promise.resolve({ top: ORIGIN, ended: false }) })
  writer.emit(first)
  for (let i = 2; i <= 10; i++) writer.emit(said(`line ${i}`))
  await writer.flush()
  const old = await direct.dumpBuffer(key())
  for (let i = 11; i <= 20; i++) writer.emit(said(`line ${i}`))
  await writer.flush()
  await direct.restore(key(), 0, old, 'REPLACE')
  writer.emit(said('line 21'))
  await writer.flush()
  expect((await direct.xrange(key(), '-', '+')).map(([id]) => id)).toEqual(Array.from({ length: 21 }, (_, i) => `1000-${i + 1}`))
  await writer.close(1000)
})

test('events that neither Redis nor the store have any more are reported lost', async () => {
  const notes: ((top: { epoch: number; seq: number }) => void)[] = []
  const writer = createProducer({
    streams: sound.streams,
    fid,
    flow: 'trip',
    epoch: 1000,
    storeTop: () => Promise.resolve({ top: { epoch: 1000, seq: 4 }, ended: false }),
    committed: (listener) => {
      notes.push(listener)
      return () => {}
    },
  })
  writer.emit(first)
  for (let i = 2; i <= 10; i++) writer.emit(said(`line ${i}`))
  await writer.flush()
  // The store said that it has 8, then came back from a backup that ends at 4.
  must(notes[0], 'listener')({ epoch: 1000, seq: 8 })
  await direct.del(key())
  writer.emit(said('line 11'))
  await expect(writer.flush()).rejects.toMatchObject({ code: 'events_lost', details: { from: '1000-5', to: '1000-8' } })
  expect(writer.stopped.aborted).toBe(true)
})

test('a stale writer that wakes after a later epoch began is fenced, also on a stream that was restored', async () => {
  await sound.streams.append(fid, 1000, 1, opening(1))
  await sound.streams.append(fid, 2000, 1, opening(1))
  await direct.del(key())
  await sound.streams.create(fid, { epoch: 2000, seq: 2 })
  expect(await broken.streams.append(fid, 1000, 3, [line('zombie')])).toMatchObject({ answer: 'fenced' })
})

test('a read whose reply was lost is recovered from what is pending, before anything new', async () => {
  await sound.streams.append(fid, 1000, 1, opening(3))
  const consumer = broken.consumer('spooler-0')
  await consumer.acquire(8, 5000)
  const [seen] = await consumer.read([fid], 1)
  const swallowed = proxy.dropReplies()
  const failed = failureOf(consumer.read([fid], 2))
  await swallowed
  proxy.heal()
  expect(await failed).toMatchObject({ code: 'redis_unavailable' })
  await sound.streams.append(fid, 1000, 5, [line('new')])
  const again = []
  for (let i = 0; i < 3; i++) again.push(...must((await consumer.read([fid], 2))[0], 'batch').entries)
  expect(positions(seen)).toEqual(['1000-1'])
  expect(again.map(({ position, deliveries }) => [position.seq, deliveries])).toEqual([
    [2, 2],
    [3, 2],
    [4, 1],
    [5, 1],
  ])
})

test('an ack whose reply was lost may be repeated', async () => {
  await sound.streams.append(fid, 1000, 1, opening(1))
  const consumer = broken.consumer('spooler-0')
  await consumer.acquire(8, 5000)
  const done = [endOf(must((await consumer.read([fid], 10))[0], 'batch'))]
  const swallowed = proxy.dropReplies()
  const failed = failureOf(consumer.ack(done))
  await swallowed
  proxy.heal()
  expect(await failed).toMatchObject({ code: 'redis_unavailable' })
  await consumer.ack(done)
  expect(await direct.xpending(key(), 'kodo-spooler')).toMatchObject([0, null, null, null])
})

test('consumers live through cuts: all is committed once, in order', async () => {
  const store = new CommittingConsumer(sound.consumer('spooler-0'))
  const writer = createProducer({
    streams: broken.streams,
    fid,
    flow: 'trip',
    epoch: 1000,
    storeTop: () => Promise.resolve({ top: store.top(fid), ended: false }),
  })
  writer.emit(first)
  for (let i = 2; i <= 300; i++) {
    writer.emit(said(`line ${i}`))
    if (i % 50 === 0) proxy.cut()
    if (i % 10 === 0) await writer.flush()
  }
  await writer.close(5000)
  await expect.poll(() => store.records(fid).map((record) => record.seq)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1))
  await store.stop()
})

test('a group that is gone is made again from the start of the stream', async () => {
  await sound.streams.append(fid, 1000, 1, opening(2))
  const consumer = sound.consumer('spooler-0')
  await consumer.acquire(8, 5000)
  const [before] = await consumer.read([fid], 1)
  await direct.xgroup('DESTROY', key(), 'kodo-spooler')
  const [after] = await consumer.read([fid], 10)
  expect([positions(before), positions(after)]).toEqual([['1000-1'], ['1000-1', '1000-2', '1000-3']])
  await consumer.release([fid])
  await direct.xgroup('DESTROY', key(), 'kodo-spooler')
  expect(await consumer.sweep()).toBeLessThanOrEqual(1)
  expect(await consumer.acquire(8, 5000)).toEqual([fid])
  expect(positions((await consumer.read([fid], 10))[0])).toEqual(['1000-1', '1000-2', '1000-3'])
})

test('a stream that is gone is an empty batch, and the sweep forgets its run', async () => {
  await sound.streams.append(fid, 1000, 1, opening(0))
  const consumer = sound.consumer('spooler-0')
  await consumer.acquire(8, 5000)
  await direct.del(key())
  expect(await consumer.read([fid], 10)).toEqual([{ fid, entries: [], more: false }])
  await consumer.release([fid])
  expect(await consumer.sweep()).toBe(0)
  expect(await direct.smembers(`${prefix}active`)).toEqual([])
})

test('a lost hint is found by the sweep', async () => {
  await sound.streams.append(fid, 1000, 1, opening(0))
  await expect.poll(() => direct.zpopmin(`${prefix}ready`)).toMatchObject([fid, expect.anything()])
  const consumer = sound.consumer('spooler-0')
  expect(await consumer.acquire(8, 20)).toEqual([])
  expect(await consumer.sweep()).toBe(1)
  expect(await consumer.acquire(8, 5000)).toEqual([fid])
})

test('what a stranger wrote comes out as such and is acknowledged with the rest', async () => {
  await sound.streams.append(fid, 1000, 1, opening(0))
  await direct.xadd(key(), '1000-2', 'who', 'stranger', 'n', '1')
  await direct.xadd(key(), '1000-3', 'no-time', '{}')
  const consumer = sound.consumer('spooler-0')
  await consumer.acquire(8, 5000)
  const [batch] = await consumer.read([fid], 10)
  expect(batch?.entries.slice(1)).toEqual([
    { position: { epoch: 1000, seq: 2 }, record: null, raw: '["who","stranger","n","1"]', deliveries: 1 },
    { position: { epoch: 1000, seq: 3 }, record: null, raw: '["no-time","{}"]', deliveries: 1 },
  ])
  await consumer.ack([endOf(must(batch, 'batch'))])
  expect(await direct.xpending(key(), 'kodo-spooler')).toMatchObject([0, null, null, null])
})

test('an entry that was trimmed before it was acknowledged comes out as lost', async () => {
  await sound.streams.append(fid, 1000, 1, opening(1))
  const one = sound.consumer('spooler-0')
  const two = sound.consumer('spooler-1')
  await one.acquire(8, 5000)
  await one.read([fid], 10)
  await direct.xtrim(key(), 'MINID', '1000-2')
  await one.release([fid])
  await two.acquire(8, 5000)
  const [batch] = await two.read([fid], 10)
  expect(batch?.entries.map(({ position, record }) => [position.seq, record?.kind ?? null])).toEqual([
    [1, null],
    [2, 'stdout'],
  ])
})

test('a lease that ran out goes to the next, and its first holder is told', async () => {
  const short = createRedisTransport({ url: inject('redisUrl'), streamPrefix: `${prefix}events:`, leaseMs: 50 })
  const one = short.consumer('spooler-0')
  const two = sound.consumer('spooler-1')
  await short.streams.append(fid, 1000, 1, opening(1))
  await one.acquire(8, 5000)
  const [batch] = await one.read([fid], 1)
  await expect.poll(() => two.sweep()).toBe(1)
  expect(await two.acquire(8, 5000)).toEqual([fid])
  expect(await one.renew([fid])).toEqual([fid])
  expect(await one.read([fid], 10)).toEqual([])
  // What the first has committed it may still acknowledge; the second sees it as pending until then.
  await one.ack([endOf(must(batch, 'batch'))])
  expect(positions((await two.read([fid], 10))[0])).toEqual(['1000-2'])
  await one.release([fid])
  expect(await two.renew([fid])).toEqual([])
  expect(await one.acquire(8, 20)).toEqual([])
  await short.close()
})

test('acknowledged entries are kept up to the limit, what is not acknowledged always', async () => {
  const keeping = createRedisTransport({ url: inject('redisUrl'), streamPrefix: `${prefix}events:`, maxStreamLen: 10 })
  const consumer = keeping.consumer('spooler-0')
  await keeping.streams.append(fid, 1000, 1, opening(99))
  await consumer.acquire(8, 5000)
  const [batch] = await consumer.read([fid], 60)
  await consumer.ack([{ fid, upTo: { epoch: 1000, seq: 40 } }])
  const ids = (await direct.xrange(key(), '-', '+')).map(([id]) => id)
  expect(batch?.entries.length).toBe(60)
  expect(ids[0]).toBe('1000-32')
  expect(ids.at(-1)).toBe('1000-100')
  expect(await keeping.streams.append(fid, 1000, 30, [line('x')])).toMatchObject({ answer: 'dup' })
  await keeping.streams.append(fid, 2000, 1, opening(0))
  for (;;) {
    const [more] = await consumer.read([fid], 100)
    if (!more?.entries.length) break
    await consumer.ack([endOf(more)])
  }
  expect(await direct.xlen(key())).toBeLessThanOrEqual(10)
  await keeping.close()
})

test('an expired stream is kept by a retry, and goes when that has ended too', async () => {
  const brief = createRedisTransport({ url: inject('redisUrl'), streamPrefix: `${prefix}events:`, expireMs: 60_000 })
  const consumer = brief.consumer('spooler-0')
  const drain = async () => {
    await consumer.acquire(8, 5000)
    const [batch] = await consumer.read([fid], 10)
    await consumer.ack([endOf(must(batch, 'batch'))])
    await consumer.release([fid])
  }
  await brief.streams.append(fid, 1000, 1, opening(0))
  await drain()
  await consumer.expire([fid])
  expect(await direct.pttl(key())).toBeGreaterThan(0)
  await brief.streams.append(fid, 2000, 1, [attempt()])
  expect(await direct.pttl(key())).toBe(-1)
  await consumer.expire([fid])
  expect(await direct.pttl(key())).toBe(-1)
  await expect.poll(() => direct.smembers(`${prefix}active`)).toEqual([fid])
  await brief.close()
})

test('after a cut the bus subscribes again and then says that signals may have been missed', async () => {
  const missed = Promise.withResolvers<void>()
  const heard = vi.fn<() => void>()
  broken.signals.onReconnect(missed.resolve)
  await broken.signals.subscribe('control', fid, heard)
  await broken.signals.subscribe('delta', '*', heard)
  proxy.cut()
  await missed.promise
  await sound.signals.publish([
    { topic: 'control', fid },
    { topic: 'delta', fid, step: null, text: 'x' },
  ])
  await expect.poll(() => heard.mock.calls.length).toBe(2)
})

test('a Redis that cannot be reached is said to be so, by name', async () => {
  proxy.refuse()
  const away = { code: 'redis_unavailable', message: expect.stringContaining(`127.0.0.1:${proxy.port}`) }
  const failures = await Promise.all([
    failureOf(broken.check()),
    failureOf(broken.streams.append(fid, 1000, 1, opening(0))),
    failureOf(broken.signals.subscribe('control', fid, () => {})),
    failureOf(broken.signals.publish([{ topic: 'control', fid }])),
  ])
  expect(failures).toEqual([expect.objectContaining(away), expect.objectContaining(away), expect.objectContaining(away), undefined])
  proxy.heal()
  await expect.poll(() => failureOf(broken.check()), { timeout: 25_000 }).toBeUndefined()
})

test('while Redis is away a request is given up in its own time, before the link is, and does not arrive later', async () => {
  const take = vi.fn<(request: Json) => Promise<Json>>(async (request) => request)
  await sound.handover.serve('ann', take)
  proxy.refuse()
  let isGivenUp = false
  const link = failureOf(broken.check()).then(() => (isGivenUp = true))
  expect(await broken.handover.ask('ann', 'early', 50)).toBeUndefined()
  expect(isGivenUp).toBe(false)
  // Now the link comes up in its time.
  proxy.heal()
  await link
  await expect.poll(() => broken.handover.ask('ann', 'late', 20_000), { timeout: 25_000 }).toBe('late')
  expect(take.mock.calls).toEqual([['late']])
})

test('many runs at once keep apart', async () => {
  const store = new CommittingConsumer(sound.consumer('spooler-0'))
  const other = new CommittingConsumer(sound.consumer('spooler-1'))
  const fids = Array.from({ length: 40 }, () => randomBytes(12).toString('hex'))
  await Promise.all(
    fids.map(async (one) => {
      await sound.streams.create(one, ORIGIN)
      for (let i = 0; i < 5; i++) await sound.streams.append(one, 1000, 1 + i * 10, i === 0 ? opening(9) : Array.from({ length: 10 }, () => line(one)))
    }),
  )
  const seqs = (one: string) => [...store.records(one), ...other.records(one)].map((record) => record.seq).sort((a, b) => a - b)
  await expect.poll(() => fids.every((one) => seqs(one).length === 50 && new Set(seqs(one)).size === 50)).toBe(true)
  await store.stop()
  await other.stop()
})

test.each(['not json', 'null', '{}', '[null, 7, "x"]', '[{"topic":"committed","fid":"FID"}]', '[{"topic":"committed","fid":"FID","position":7,"ended":1}]'])(
  'what a stranger publishes on our channel (%s) reaches no listener and harms none',
  async (message) => {
    const heard: string[] = []
    await sound.signals.subscribe('committed', fid, (signal) => heard.push(signal.position))
    await direct.publish(`${prefix}committed`, message.replace('FID', fid))
    await sound.signals.publish([{ topic: 'committed', fid, position: '1-1', ended: false }])
    await expect.poll(() => heard).toEqual(['1-1'])
  },
)

test('a key of another type under one of our names is left alone, and keeps nobody from the other runs', async () => {
  const foreign = anyFid()
  await direct.set(`${prefix}events:${foreign}`, 'not a stream')
  await direct.sadd(`${prefix}active`, foreign)
  await direct.zadd(`${prefix}ready`, 0, foreign)
  await sound.streams.append(fid, 1000, 1, opening(3))
  const consumer = sound.consumer('one')
  expect(await consumer.acquire(10, 1000)).toEqual([fid])
  const [batch] = await consumer.read([fid], 10)
  expect(batch?.entries).toHaveLength(4)
  if (batch) await consumer.ack([endOf(batch)])
  await consumer.release([fid])
  expect(await consumer.status()).toMatchObject([{ name: 'one', lag: 0 }])
  expect(await consumer.sweep()).toBe(0)
  expect(await direct.smembers(`${prefix}active`)).toEqual([fid])
  await consumer.expire([foreign])
  expect(await direct.get(`${prefix}events:${foreign}`)).toBe('not a stream')
  expect(await direct.pttl(`${prefix}events:${foreign}`)).toBe(-1)
})

test.each(['*', '1500-3'])('an entry that a stranger puts on top (%s) fences the writer; the next epoch is sealed at the last event of ours', async (id) => {
  await sound.streams.append(fid, 1000, 1, opening(3))
  await direct.xadd(key(), id, 'hello', 'world')
  expect(await sound.streams.append(fid, 1000, 5, [line('5')])).toMatchObject({ answer: 'fenced' })
  const later = Date.now() + 60_000
  expect(await sound.streams.append(fid, later, 1, opening(0))).toMatchObject({ answer: 'ok', prev: { epoch: 1000, seq: 4 } })
})

test('a stranger’s entry that somebody deleted is not what the next epoch is sealed at', async () => {
  await sound.streams.append(fid, 1000, 1, opening(3))
  await direct.xadd(key(), '1500-3', 'hello', 'world')
  await direct.xdel(key(), '1500-3')
  expect(await sound.streams.append(fid, 2000, 1, opening(0))).toMatchObject({ answer: 'ok', prev: { epoch: 1000, seq: 4 } })
})

test('an entry that a stranger puts in the place of the next one is not taken for ours: the writer is fenced, nothing is taken for sent', async () => {
  await sound.streams.append(fid, 1000, 1, opening(3))
  await direct.xadd(key(), '1000-5', 'hello', 'world')
  expect(await sound.streams.append(fid, 1000, 5, [line('5'), line('6')])).toMatchObject({ answer: 'fenced' })
  expect(await sound.streams.append(fid, 1000, 4, [must(opening(3)[3], 'the last line')])).toMatchObject({ answer: 'dup' })
  expect(await sound.streams.append(fid, 2000, 1, opening(0))).toMatchObject({ answer: 'ok', prev: { epoch: 1000, seq: 4 } })
})

test('many entries of strangers and none of ours leave the seal where the stream stood', async () => {
  await sound.streams.append(fid, 1000, 1, opening(1))
  const consumer = sound.consumer('one')
  await consumer.acquire(1, 1000)
  const [batch] = await consumer.read([fid], 10)
  if (batch) await consumer.ack([endOf(batch)])
  await direct.xtrim(key(), 'MAXLEN', 0)
  for (let seq = 1; seq <= 50; seq++) await direct.xadd(key(), `1500-${seq}`, 'hello', 'world')
  expect(await sound.streams.append(fid, 2000, 1, opening(0))).toMatchObject({ answer: 'ok', prev: { epoch: 1500, seq: 50 } })
})
