// Goal: a Redis in trouble (full, evicting, frozen) gives one clear answer and loses nothing. Method: a server of this file's own for each trouble.
import { ORIGIN } from '@koco/core'
import { startRedis, type RedisServer } from '@koco/testing'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { anyFid, endOf, line, opening } from '../contract/harness.ts'
import type { Transport } from '../port.ts'
import { createRedisTransport } from './transport.ts'

let server: RedisServer
let transport: Transport
let direct: Redis

async function open(config: Record<string, string>, deadlineMs = 10_000): Promise<void> {
  server = await startRedis({ config })
  direct = new Redis(server.url)
  direct.on('error', () => {})
  transport = createRedisTransport({ url: server.url, deadlineMs })
}

afterEach(async () => {
  server.resume()
  await transport.close()
  direct.disconnect()
  await server.stop()
})

test('a Redis with an eviction policy is refused with the remedy', async () => {
  await open({ 'maxmemory-policy': 'allkeys-lru' })
  await expect(transport.check()).rejects.toMatchObject({ reaction: 'correct', code: 'redis_evicts', message: expect.stringContaining('noeviction') })
  await direct.config('SET', 'maxmemory-policy', 'noeviction')
  await expect(transport.check()).resolves.toBeUndefined()
})

test('a full Redis takes all of a batch or nothing', async () => {
  await open({})
  const fid = anyFid()
  await transport.streams.create(fid, ORIGIN)
  await transport.streams.append(fid, 1000, 1, opening(1))
  await direct.config('SET', 'maxmemory', '1')
  await expect(transport.streams.append(fid, 1000, 3, [line('3'), line('4')])).rejects.toMatchObject({ reaction: 'retry', code: 'redis_full' })
  await expect(transport.check()).rejects.toMatchObject({ code: 'redis_full' })
  expect(await direct.xlen(`kodo:events:${fid}`)).toBe(2)
  await direct.config('SET', 'maxmemory', '0')
  expect(await transport.streams.append(fid, 1000, 3, [line('3'), line('4')])).toMatchObject({ answer: 'ok', top: { epoch: 1000, seq: 4 } })
})

test('above 70 % of maxmemory nothing acknowledged is kept', async () => {
  await open({})
  const fid = anyFid()
  await transport.streams.create(fid, ORIGIN)
  await transport.streams.append(fid, 1000, 1, opening(200))
  const used = Number(/used_memory:(\d+)/.exec(await direct.info('memory'))?.[1])
  await direct.config('SET', 'maxmemory', String(Math.round(used * 1.25)))
  const consumer = transport.consumer('spooler-0')
  await consumer.acquire(1, 5000)
  const [batch] = await consumer.read([fid], 150)
  if (batch) await consumer.ack([endOf(batch)])
  const left = await direct.xrange(`kodo:events:${fid}`, '-', '+')
  expect([left.length, left[0]?.[0]]).toEqual([51, '1000-151'])
})

test('a frozen Redis lets no call wait for ever', async () => {
  await open({}, 1500)
  const fid = anyFid()
  await transport.streams.create(fid, ORIGIN)
  const consumer = transport.consumer('spooler-0')
  await consumer.acquire(1, 1)
  server.pause()
  await expect(transport.streams.append(fid, 1000, 1, opening(0))).rejects.toMatchObject({ code: 'redis_unavailable' })
  await expect(consumer.sweep()).rejects.toMatchObject({ code: 'redis_unavailable' })
  server.resume()
  await expect
    .poll(() => transport.streams.append(fid, 1000, 1, opening(0)).catch(() => null), { timeout: 25_000 })
    .toMatchObject({ top: { epoch: 1000, seq: 1 } })
})

test('after a restart without data the stream is gone and scripts are sent again', async () => {
  await open({})
  const fid = anyFid()
  await transport.streams.create(fid, ORIGIN)
  await transport.streams.append(fid, 1000, 1, opening(1))
  await server.restart({ wipe: true })
  await expect.poll(() => transport.streams.append(fid, 1000, 3, [line('3')]).catch(() => null), { timeout: 25_000 }).toEqual({ answer: 'nostream' })
  await transport.streams.create(fid, { epoch: 1000, seq: 2 })
  expect(await transport.streams.append(fid, 1000, 3, [line('3')])).toEqual({ answer: 'ok', top: { epoch: 1000, seq: 3 } })
})
