// Goal: each fault does exactly what it says, because crash tests reason from it. Method: a real Redis behind the proxy, observed past it.
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { keyPrefix } from '../servers/database.ts'
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts'

const options = { retryStrategy: null, maxRetriesPerRequest: 0 }
let proxy: FaultProxy
let direct: Redis
let client: Redis
let key: string

function connectThroughProxy(): Redis {
  const redis = new Redis(proxy.url(inject('redisUrl')), options)
  redis.on('error', () => undefined)
  return redis
}

beforeEach(async () => {
  key = keyPrefix()
  proxy = await startFaultProxy({ port: Number(new URL(inject('redisUrl')).port) })
  direct = new Redis(inject('redisUrl'))
  client = connectThroughProxy()
  await client.ping()
})

afterEach(async () => {
  client.disconnect()
  await direct.del(key)
  direct.disconnect()
  await proxy.close()
})

test('a healthy link passes requests and large replies', async () => {
  const large = 'x'.repeat(4 * 1024 * 1024)
  await client.set(key, large)
  expect(await client.get(key)).toBe(large)
})

test('a swallowed reply leaves the request applied and its sender in the dark', async () => {
  const swallowed = proxy.dropReplies()
  const answer = client.incr(key).catch((error: Error) => error)
  await swallowed
  expect(await direct.get(key)).toBe('1')
  proxy.heal()
  expect(await answer).toBeInstanceOf(Error)
})

test('a cut breaks what is open and lets new connections pass', async () => {
  const ended = new Promise((resolve) => client.once('end', resolve))
  proxy.cut()
  await ended
  const next = connectThroughProxy()
  expect(await next.ping()).toBe('PONG')
  next.disconnect()
})

test('a refusing link takes nobody until it is healed', async () => {
  proxy.refuse()
  const refused = connectThroughProxy()
  await expect(refused.ping()).rejects.toThrow(/closed|reset/i)
  proxy.heal()
  const next = connectThroughProxy()
  expect(await next.ping()).toBe('PONG')
  next.disconnect()
})

test('a delayed link answers in order', async () => {
  proxy.delay(20)
  const answers = await Promise.all([client.incr(key), client.incr(key), client.incr(key)])
  expect(answers).toEqual([1, 2, 3])
})

test('what follows the end of a delay does not overtake what was delayed', async () => {
  await client.set(key, 0)
  proxy.delay(50)
  const late = client.incr(key)
  await new Promise((resolve) => setImmediate(resolve))
  proxy.delay(0)
  expect(await Promise.all([late, client.incr(key), client.incr(key)])).toEqual([1, 2, 3])
})
