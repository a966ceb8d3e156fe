/*
 * Goal: panels that share a Redis count connections together, also when many dial at once and when one of them dies, and their clients see each other's turns.
 * Method: two panels over one admin store, each with a Redis transport of its own for leases and signals; a death is a transport that is cut off without giving anything back.
 */
import { OpenAiServer } from '@koco/flow/testing'
import { keyPrefix } from '@koco/testing'
import { createRedisTransport } from '@koco/transport/redis'
import { afterAll, afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { openSse } from '../testing/sse-client.ts'
import { SocketClient } from '../testing/socket-client.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let panels: TestPanel[]
let transports: ReturnType<typeof createRedisTransport>[]
let me: Awaited<ReturnType<TestPanel['user']>>

beforeEach(async () => {
  const streamPrefix = `${keyPrefix()}events:`
  transports = [1, 2].map(() => createRedisTransport({ url: inject('redisUrl'), streamPrefix, holdMs: 2_500 }))
  panels = []
  for (const { leases, signals } of transports) panels.push(await openTestPanel({ leases, signals, ...(panels[0] && { admin: panels[0].admin }) }))
  me = await (panels[0] as TestPanel).user('user')
})
afterEach(async () => {
  for (const panel of panels.toReversed()) await panel.close()
  for (const transport of transports) await transport.close()
})
afterAll(closeTestParts)

const dial = (panel: number): ReturnType<typeof SocketClient.dial> => SocketClient.dial(panels[panel]?.url ?? '', me.headers)
const inside = (dialled: readonly Awaited<ReturnType<typeof dial>>[]): SocketClient[] => dialled.filter((one) => one instanceof SocketClient)

test('of forty who dial two panels at once three get in; a dead panel’s connections count no more after the lease time', async () => {
  const clients = inside(await Promise.all(Array.from({ length: 40 }, (_, n) => dial(n % 2))))
  expect(clients).toHaveLength(3)
  expect(await dial(0)).toEqual({ status: 429, code: 'too_many_connections' })
  for (const { socket } of clients) socket.terminate()
  await vi.waitFor(async () => expect(await transports[1]?.leases.count(`ws:${me.name}`)).toBe(0), { timeout: 25_000 })
  const doomed = inside([await dial(0), await dial(0), await dial(0)])
  expect(doomed).toHaveLength(3)
  expect(await dial(1)).toEqual({ status: 429, code: 'too_many_connections' })
  await transports[0]?.close()
  const free = await vi.waitUntil(async () => inside([await dial(1)])[0], { timeout: 25_000, interval: 100 })
  free.socket.terminate()
  for (const { socket } of doomed) socket.terminate()
})

test('who is deactivated at one panel is out of the other at once: key, stream and socket', async () => {
  for (const panel of panels.toReversed()) await panel.close()
  // So long that neither the memory of who somebody is nor the regular look at the store can be what ends it.
  const settings = { principalTtlMs: 3_600_000, recheckMs: 3_600_000 }
  panels = []
  for (const { leases, signals } of transports) panels.push(await openTestPanel({ settings, leases, signals, ...(panels[0] && { admin: panels[0].admin }) }))
  const [here, there] = panels as [TestPanel, TestPanel]
  const [person, operator] = [await here.user('user'), await here.user('operator')]
  const run = await there.run(person.name)
  await run.begin()
  const stream = await openSse(`${there.url}/api/runs/${run.fid}/events`, person.headers)
  await stream.first((frame) => frame.event === 'status')
  const socket = inside([await SocketClient.dial(there.url, person.headers)])[0] as SocketClient
  const answer = await fetch(`${here.url}/api/users/${person.name}`, {
    method: 'PATCH',
    headers: { ...operator.headers, 'content-type': 'application/json' },
    body: '{"active":false}',
  })
  expect(answer.status).toBe(200)
  await Promise.all([stream.ended, socket.closed])
  expect((await fetch(`${there.url}/api/runs`, { headers: person.headers })).status).toBe(401)
})

test('a turn that is begun at one panel is seen at the other at once', async () => {
  const model = new OpenAiServer(() => [])
  vi.stubEnv('KODO_LLM_URL', `http://${await model.listen()}/v1`)
  vi.stubEnv('KODO_LLM_MODEL', 'tiny')
  const [here, there] = inside([await dial(0), await dial(1)]) as [SocketClient, SocketClient]
  here.send('create_session')
  const id = String((await here.next('session_created')).data['session_id'])
  there.send('session_control', { action: 'attach', session_id: id })
  await there.next('session_status')
  model.script({ say: ['over there'] })
  here.send('chat_message', {}, 'hi')
  expect((await there.end()).content).toBe('over there')
  for (const client of [here, there]) await client.close()
  await model.close()
  vi.unstubAllEnvs()
})
