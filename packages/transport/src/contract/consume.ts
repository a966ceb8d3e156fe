import { must, ORIGIN } from '@koco/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { EventStreams, StreamConsumer } from '../port.ts'
import { anyFid, endOf, line, opening, positions, type OpenTransport, type TransportUnderTest } from './harness.ts'

/** The suite of the consumers' side: hints, leases, reads, acks, sweep. */
export function consumeContract(open: OpenTransport): void {
  let at: TransportUnderTest
  let streams: EventStreams
  let one: StreamConsumer
  let two: StreamConsumer

  beforeEach(async () => {
    at = await open()
    streams = at.transport.streams
    one = at.transport.consumer('spooler-0')
    two = at.transport.consumer('spooler-1')
  })

  afterEach(() => at.close())

  /** A run whose opening waits to be consumed. In memory its append resolves at the ack, so nobody waits for it here. */
  async function runWith(lines: number): Promise<string> {
    const fid = anyFid()
    await streams.create(fid, ORIGIN)
    await appendNow(fid, 1, opening(lines))
    return fid
  }

  async function appendNow(fid: string, firstSeq: number, records: ReturnType<typeof opening>): Promise<void> {
    const appended = streams.append(fid, 1000, firstSeq, records)
    if (!streams.commits) await appended
    // A consumer that is closed with the transport fails what still waits for its commit.
    else appended.catch(() => {})
  }

  test('an idle acquire ends empty after its time', async () => {
    expect(await one.acquire(8, 5)).toEqual([])
  })

  test('a waiting acquire is woken by an append', async () => {
    const waiting = one.acquire(8, 30_000)
    const fid = await runWith(0)
    expect(await waiting).toEqual([fid])
  })

  test('reads go on without an ack, in order, and say when more waits', async () => {
    const fid = await runWith(4)
    await one.acquire(8, 5000)
    const [first] = await one.read([fid], 2)
    const [second] = await one.read([fid], 2)
    const [third] = await one.read([fid], 2)
    const [fourth] = await one.read([fid], 2)
    expect([first, second, third, fourth].map(positions)).toEqual([['1000-1', '1000-2'], ['1000-3', '1000-4'], ['1000-5'], []])
    expect([first?.more, third?.more, fourth?.more]).toEqual([true, false, false])
    expect(first?.entries.map((entry) => entry.deliveries)).toEqual([1, 1])
  })

  test('one read serves many streams', async () => {
    const fids = await Promise.all(Array.from({ length: 30 }, () => runWith(1)))
    const held = await one.acquire(100, 5000)
    while (held.length < fids.length) held.push(...(await one.acquire(100, 5000)))
    const batches = await one.read(held, 10)
    expect(batches.map((batch) => batch.fid)).toEqual(held)
    expect(new Set(held)).toEqual(new Set(fids))
    expect(batches.every((batch) => positions(batch).join() === '1000-1,1000-2')).toBe(true)
    await one.ack(batches.map(endOf))
    await one.release(held)
    expect(await two.sweep()).toBe(0)
  })

  test('a held stream is nobody else’s; what comes meanwhile is found after the release', async () => {
    const fid = await runWith(0)
    await one.acquire(8, 5000)
    const [batch] = await one.read([fid], 10)
    await appendNow(fid, 2, [line('meanwhile')])
    expect(await two.acquire(8, 20)).toEqual([])
    await one.ack([endOf(must(batch, 'batch'))])
    await one.release([fid])
    expect(await two.acquire(8, 5000)).toEqual([fid])
    const [rest] = await two.read([fid], 10)
    expect(positions(rest)).toEqual(['1000-2'])
  })

  test('a release with work left hints at once; one without leaves quiet', async () => {
    const fid = await runWith(2)
    await one.acquire(8, 5000)
    const [first] = await one.read([fid], 1)
    await one.ack([endOf(must(first, 'batch'))])
    await one.release([fid], true)
    expect(await two.acquire(8, 5000)).toEqual([fid])
    const [rest] = await two.read([fid], 10)
    await two.ack([endOf(must(rest, 'batch'))])
    await two.release([fid])
    expect(await one.acquire(8, 20)).toEqual([])
  })

  test('what a dead consumer left pending comes first to the next, with its deliveries counted', async () => {
    const fid = await runWith(3)
    await one.acquire(8, 5000)
    await one.read([fid], 3)
    await one.release([fid])
    await appendNow(fid, 5, [line('new')])
    expect(await two.acquire(8, 5000)).toEqual([fid])
    const seen = []
    for (let i = 0; i < 5; i++) seen.push(...must((await two.read([fid], 2))[0], 'batch').entries)
    expect(seen.map((entry) => [entry.position.seq, entry.deliveries])).toEqual([
      [1, 2],
      [2, 2],
      [3, 2],
      [4, 1],
      [5, 1],
    ])
  })

  test('an ack covers what was read up to a position, the rest stays pending', async () => {
    const fid = await runWith(3)
    await one.acquire(8, 5000)
    await one.read([fid], 10)
    await one.ack([{ fid, upTo: { epoch: 1000, seq: 2 } }])
    await one.release([fid])
    expect(await two.acquire(8, 5000)).toEqual([fid])
    const [batch] = await two.read([fid], 10)
    expect(positions(batch)).toEqual(['1000-3', '1000-4'])
  })

  test('a sweep hints at streams that nobody holds, and leaves held ones alone', async () => {
    const [a, b] = [await runWith(0), await runWith(0)]
    const held = await one.acquire(1, 5000)
    const free = [a, b].filter((fid) => !held.includes(fid))
    await one.sweep()
    expect(await two.acquire(8, 5000)).toEqual(free)
    await two.sweep()
    expect(await two.acquire(8, 20)).toEqual([])
  })

  test('renew names no lease that is held still, none that was given back, and none that never was', async () => {
    const fid = await runWith(0)
    await one.acquire(8, 5000)
    expect(await one.renew([fid, anyFid()])).toEqual([])
    await one.release([fid])
    expect(await one.renew([fid])).toEqual([])
    expect(await two.acquire(8, 5000)).toEqual([fid])
  })

  test('a release that crosses a renewal stands: what comes then is there at once', async () => {
    const fid = await runWith(0)
    await one.acquire(8, 5000)
    const [batch] = await one.read([fid], 10)
    await one.ack([endOf(must(batch, 'batch'))])
    const renewed = one.renew([fid])
    await one.release([fid])
    await renewed
    await appendNow(fid, 2, [line('new')])
    expect(await two.acquire(8, 5000)).toEqual([fid])
  })

  test('so does a close', async () => {
    const fid = await runWith(0)
    await one.acquire(8, 5000)
    const renewed = one.renew([fid])
    await one.close()
    expect(await renewed).toEqual([])
    expect(await two.acquire(8, 5000)).toEqual([fid])
  })

  test('close ends a waiting acquire and gives the leases back', async () => {
    const fid = await runWith(0)
    await one.acquire(8, 5000)
    const waiting = one.acquire(8, 30_000)
    await one.close()
    expect(await waiting).toEqual([])
    expect(await two.acquire(8, 5000)).toEqual([fid])
  })

  test('an ended run’s stream goes, unless a retry has written to it', async () => {
    const fid = await runWith(0)
    await one.acquire(8, 5000)
    const [batch] = await one.read([fid], 10)
    await one.expire([fid])
    expect(await streams.top(fid)).toEqual({ epoch: 1000, seq: 1 })
    await one.ack([endOf(must(batch, 'batch'))])
    await one.expire([fid])
    await expect.poll(() => streams.top(fid)).toBeUndefined()
  })

  test('status tells streams, lag and the oldest pending entry of each consumer', async () => {
    const fid = await runWith(2)
    await one.acquire(8, 5000)
    await one.read([fid], 1)
    const status = (await two.status()).find((row) => row.name === 'spooler-0')
    expect(status).toMatchObject({ name: 'spooler-0', streams: 1, lag: 3 })
    expect(status?.oldestPendingMs).toBeGreaterThanOrEqual(0)
  })

  test('unknown streams are passed over', async () => {
    const fid = anyFid()
    expect(await one.read([fid], 10)).toEqual([])
    await one.ack([{ fid, upTo: { epoch: 1, seq: 1 } }])
    await one.release([fid])
    await one.expire([fid])
  })
}
