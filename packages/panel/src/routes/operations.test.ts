// Goal: an operator sees in one answer how the installation stands, also while a part of it is away. Method: a real panel, and one whose transport does not answer.
import { UnavailableError } from '@koco/core'
import { afterAll, expect, test } from 'vitest'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel } from '../testing/test-panel.ts'

afterAll(closeTestParts)

test('all is told at once', async () => {
  const panel = await openTestPanel({ consumers: async () => [{ name: 'spooler-1', streams: 2, lag: 3, oldestPendingMs: 1500 }] })
  const { headers, name } = await panel.user('operator')
  const run = await panel.run(name)
  await run.begin()
  const { status, body } = await call(`${panel.url}/api/operations`, 'GET', headers)
  expect(status).toBe(200)
  expect(body).toMatchObject({ version: '0.0.0-test', checks: { store: 'ok', admin: 'ok', transport: 'ok' }, dead_events: 0 })
  expect(body['consumers']).toEqual([{ name: 'spooler-1', streams: 2, lag: 3, oldest_pending_s: 1.5 }])
  expect(body['runs']).toMatchObject({ running: expect.any(Number) as number })
  await panel.close()
})

test('what is away is named, the rest is told all the same', async () => {
  const away = (): Promise<never> => Promise.reject(new UnavailableError('Redis does not answer.', { code: 'redis_away' }))
  const panel = await openTestPanel({ checkTransport: away, consumers: away })
  const { headers } = await panel.user('operator')
  const { status, body } = await call(`${panel.url}/api/operations`, 'GET', headers)
  expect(status).toBe(200)
  expect(body).toMatchObject({ consumers: null, checks: { store: 'ok', transport: 'redis_away' } })
  await panel.close()
})

test('everybody signed in learns since when events come late, and why', async () => {
  let away = false
  const checkTransport = () => (away ? Promise.reject(new UnavailableError('Redis does not answer.', { code: 'redis_unavailable' })) : Promise.resolve())
  let now = 1_790_000_000_000
  const panel = await openTestPanel({ checkTransport, clock: () => now })
  const { headers } = await panel.user('viewer')
  const ask = async () => (await call(`${panel.url}/api/delay`, 'GET', headers)).body
  expect(await ask()).toEqual({ delayed_since: null, because: null })
  away = true
  now += 10_000
  expect(await ask()).toEqual({ delayed_since: 1_790_000_010, because: 'redis_unavailable' })
  away = false
  now += 10_000
  expect(await ask()).toEqual({ delayed_since: null, because: null })
  await panel.close()
})
