// Goal: what TESTING.md says of replicas and cluster mode: a promoted replica goes on, also a stale one, and loses nothing while the producers live; cluster mode is refused with the reason.
// Method: a primary and its replica behind one address, which is led to the other one as a failover does; a Redis in cluster mode.
import { formatPosition, ORIGIN, type NewEvent } from '@koco/core'
import { startFaultProxy, startRedis } from '@koco/testing'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { anyFid, CommittingConsumer } from '../contract/harness.ts'
import { createProducer } from '../producer/producer.ts'
import { createRedisTransport } from './transport.ts'

const said = (text: string): NewEvent => ({ kind: 'stdout', data: { text }, ts: 2 })

async function connected(url: string): Promise<Redis> {
  const redis = new Redis(url)
  redis.on('error', () => undefined)
  await redis.ping()
  return redis
}

test('a replica that had not everything takes over: what it misses is sent again, nothing is lost, doubled or moved', async () => {
  await using primary = await startRedis()
  await using replica = await startRedis({ config: { replicaof: `127.0.0.1 ${primary.port}` } })
  await using proxy = await startFaultProxy({ port: primary.port })
  const direct = await connected(replica.url)
  await expect.poll(async () => (await direct.info('replication')).includes('master_link_status:up'), { timeout: 25_000 }).toBe(true)
  const transport = createRedisTransport({ url: proxy.url(primary.url), deadlineMs: 5000 })
  const fid = anyFid()
  await transport.streams.create(fid, ORIGIN)
  const writer = createProducer({ streams: transport.streams, fid, flow: 'trip', epoch: 1000, storeTop: () => Promise.resolve({ top: ORIGIN, ended: false }) })
  writer.emit({ kind: 'attempt', data: { attempt: 1, reason: 'start', owner: 'worker-1' }, ts: 1 })
  for (let i = 2; i <= 50; i++) writer.emit(said(`line ${i}`))
  await writer.flush()
  await expect.poll(() => direct.xlen(`kodo:events:${fid}`)).toBe(50)
  // From here on the replica hears nothing more of its primary.
  await direct.replicaof('127.0.0.1', 1)
  for (let i = 51; i <= 100; i++) writer.emit(said(`line ${i}`))
  await writer.flush()
  await primary.kill()
  await direct.replicaof('NO', 'ONE')
  proxy.lead({ port: replica.port })
  proxy.cut()
  for (let i = 101; i <= 120; i++) writer.emit(said(`line ${i}`))
  await writer.flush()
  const consumer = new CommittingConsumer(transport.consumer('spooler-0'))
  await expect.poll(() => consumer.records(fid).length, { timeout: 25_000 }).toBe(120)
  expect(consumer.records(fid).map(formatPosition)).toEqual(Array.from({ length: 120 }, (_none, i) => `1000-${i + 1}`))
  await consumer.stop()
  await writer.close(1000)
  await transport.close()
  direct.disconnect()
})

test('a replica takes no writes and says so; it is no primary by mistake', async () => {
  await using primary = await startRedis()
  await using replica = await startRedis({ config: { replicaof: `127.0.0.1 ${primary.port}` } })
  const transport = createRedisTransport({ url: replica.url })
  await expect(transport.check()).rejects.toMatchObject({
    reaction: 'retry',
    code: 'redis_readonly',
    message: expect.stringContaining('point KODO_REDIS_URL at the primary'),
  })
  await transport.close()
})

test('cluster mode is refused before anything is written', async () => {
  await using cluster = await startRedis({ config: { 'cluster-enabled': 'yes' } })
  const direct = await connected(cluster.url)
  await direct.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
  await expect.poll(async () => String(await direct.call('CLUSTER', 'INFO')), { timeout: 25_000 }).toContain('cluster_state:ok')
  const transport = createRedisTransport({ url: cluster.url })
  await expect(transport.check()).rejects.toMatchObject({ reaction: 'correct', code: 'redis_cluster', message: expect.stringContaining('Use one primary') })
  expect(await direct.dbsize()).toBe(0)
  await transport.close()
  direct.disconnect()
})
