// Goal: open sockets live through the death and the return of Redis, of Postgres, of both at once and of the panel; what was said comes exactly once; new ones are told; all heals by itself; counts come out right.
// Method: real processes over a Redis and a Postgres of their own behind links that can be cut, a model server that holds its answers; nobody restarts anything but what the test took down.
import { startFaultProxy, startPostgres, startRedis, type FaultProxy, type PostgresServer, type RedisServer } from '@koco/testing'
import { Redis } from 'ioredis'
import { OpenAiServer } from 'koco/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ApiClient } from '../processes/api-client.ts'
import { createInstallation, type Installation } from '../processes/installation.ts'
import type { KocoProcess } from '../processes/koco-process.ts'
import { SocketClient, type Frame } from './socket-client.ts'

const SOON = { timeout: 60_000, interval: 100 }

let redis: RedisServer
let postgres: PostgresServer
let links: { readonly redis: FaultProxy; readonly postgres: FaultProxy }
let model: OpenAiServer
let installation: Installation
let panel: KocoProcess
let client: ApiClient
let users = 0

beforeAll(async () => {
  redis = await startRedis({ config: { appendonly: 'yes' } })
  postgres = await startPostgres()
  const database = await postgres.createDatabase()
  links = { redis: await startFaultProxy({ port: redis.port }), postgres: await startFaultProxy({ port: postgres.port }) }
  model = new OpenAiServer(() => [])
  installation = await createInstallation({
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: links.redis.url(redis.url),
    KODO_EXECUTION_DATABASE: links.postgres.url(database.url),
    KODO_LLM_URL: `http://${await model.listen()}/v1`,
    KODO_LLM_MODEL: 'tiny',
  })
  await installation.spawn(['db', '--create-tables']).exited
  panel = await installation.startPanel('serve')
  installation.spawn(['spool', '--block'])
  client = await installation.client()
  // A turn that comes to its end shows that the spooler is at work too.
  const socket = await (await person()).open()
  await createSession(socket)
  model.script({ say: ['ready'] })
  await socket.ask('chat_message', {}, 'ready?')
  await socket.end()
  await socket.close()
})
afterAll(async () => {
  await installation.close()
  await model.close()
  await Promise.all([redis.stop(), postgres.stop()])
})

/** A new user, who may have three connections of their own, and their token. */
async function person(): Promise<{
  readonly name: string
  readonly token: string
  readonly open: () => Promise<SocketClient>
  readonly dial: () => Promise<number | undefined>
}> {
  const name = `person-${++users}`
  await client.json('POST', '/api/users', { name, email: `${name}@example.com`, password: 'a long password', role: 'user' })
  const body = { grant_type: 'password', login: name, password: 'a long password' }
  const { access_token: token } = await client.json<{ access_token: string }>('POST', '/api/auth/token', body)
  return { name, token, open: () => SocketClient.open(installation.address, token), dial: () => SocketClient.status(installation.address, token) }
}
const createSession = async (socket: SocketClient): Promise<string> => String((await socket.ask('create_session')).data['session_id'])
const answers = (socket: SocketClient): readonly Frame[] => socket.frames.filter(({ type }) => type === 'agent_response')
async function held(name: string): Promise<number> {
  const direct = new Redis(redis.url)
  try {
    return await direct.zcard(`kodo:held:ws:${name}`)
  } finally {
    direct.disconnect()
  }
}

test('Redis goes and comes back under an open socket: it stays, a turn under way comes to its end, new ones are told, counts are as before', async () => {
  const { name, open, dial } = await person()
  const socket = await open()
  await createSession(socket)
  model.script({ say: ['Half', ' and half.'], hold: true })
  await socket.ask('chat_message', {}, 'long')
  await model.holding()
  await redis.kill()
  expect((await socket.ask('ping')).data).toMatchObject({ status: 'pong' })
  await vi.waitFor(async () => expect(await dial()).toBe(503), SOON)
  await redis.restart()
  model.release()
  expect(await socket.end()).toMatchObject({ content: 'Half and half.', data: { status: 'finished' } })
  // One by one: what one try had opened would count when it is tried again.
  const more = [await vi.waitFor(open, SOON), await vi.waitFor(open, SOON)]
  await vi.waitFor(async () => expect(await dial()).toBe(429), SOON)
  for (const one of [socket, ...more]) await one.close()
  await vi.waitFor(async () => expect(await held(name)).toBe(0), SOON)
})

test('Postgres goes and comes back in the middle of a session: what fails is told, the socket stays, the talk goes on', async () => {
  const { open, dial } = await person()
  const socket = await open()
  await createSession(socket)
  model.script({ say: ['one'] })
  await socket.ask('chat_message', {}, 'first')
  expect((await socket.end()).content).toBe('one')
  await postgres.kill()
  expect((await socket.ask('chat_message', {}, 'into the void')).type).toBe('error')
  expect((await socket.ask('ping')).data).toMatchObject({ status: 'pong' })
  await vi.waitFor(async () => expect(await dial()).toBe(503), SOON)
  await postgres.restart()
  // What was refused was not said: it is said again.
  model.script({ say: ['two'] })
  await vi.waitFor(async () => {
    expect((await socket.ask('chat_message', {}, 'second')).data).toMatchObject({ status: 'accepted' })
  }, SOON)
  expect((await socket.end()).content).toBe('two')
  await vi.waitFor(async () => expect(await dial()).toBe(101), SOON)
  await socket.close()
})

test('both stores behind a cut network, in the middle of a turn: after the healing everything has come exactly once', async () => {
  const { open, dial } = await person()
  const [one, two] = [await open(), await open()]
  const id = await createSession(one)
  await two.ask('session_control', { action: 'attach', session_id: id })
  model.script({ say: ['a', 'b', 'c'], hold: true })
  await one.ask('chat_message', {}, 'go')
  await model.holding()
  links.redis.refuse()
  links.postgres.refuse()
  await vi.waitFor(async () => expect(await dial()).toBe(503), SOON)
  model.release()
  expect((await one.ask('ping')).data).toMatchObject({ status: 'pong' })
  links.postgres.heal()
  links.redis.heal()
  const ends = await Promise.all([one.end(), two.end()])
  for (const end of ends) expect(end).toMatchObject({ content: 'abc', data: { status: 'finished' } })
  expect(answers(two).map(({ data }) => data)).toEqual(answers(one).map(({ data }) => data))
  expect(answers(one).map(({ data }) => data['chunk_index'])).toEqual(answers(one).map((_frame, index) => index))
  // Each link comes back by itself, within a second or two; the ends came over other ones than a new socket needs.
  await vi.waitFor(async () => expect(await dial()).toBe(101), SOON)
  for (const socket of [one, two]) await socket.close()
})

test('a killed panel’s connections count no more after the lease time; its clients resume and have each frame once', async () => {
  const { name, open, dial } = await person()
  const sockets = [await open(), await open(), await open()]
  const [socket] = sockets as [SocketClient]
  const id = await createSession(socket)
  model.script({ say: ['first'] }, { say: ['second, ', 'half'], hold: true })
  await socket.ask('chat_message', {}, 'one')
  await socket.end()
  await socket.ask('chat_message', {}, 'two')
  await model.holding()
  model.script({ say: ['second, ', 'whole.'] })
  await panel.kill('SIGKILL')
  expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([1006, 1006, 1006])
  panel = await installation.startPanel('serve')
  // Nobody gave the leases back: until they end, a dial is one too many.
  if ((await held(name)) === 3) expect([429, 101]).toContain(await dial())
  const again = await vi.waitFor(open, SOON)
  const seen = answers(socket)
  expect((await again.ask('session_control', { action: 'attach', session_id: id, position: seen.at(-1)?.data['position'] })).data).toMatchObject({
    reset: false,
  })
  expect((await again.end()).content).toBe('second, whole.')
  const whole = await open()
  const first = seen[0]
  await whole.ask('session_control', { action: 'attach', session_id: id, position: first?.data['position'] })
  await whole.next('agent_response', ({ data }) => data['is_complete'] === true && data['turn_id'] !== first?.data['turn_id'])
  const positions = [...seen, ...answers(again)].map(({ data }) => data['position'])
  expect(new Set(positions).size).toBe(positions.length)
  expect(positions).toEqual([first?.data['position'], ...answers(whole).map(({ data }) => data['position'])])
  for (const one of [again, whole]) await one.close()
})

test('a panel that is told to stop lets work end, closes with 1001, leaves no lease behind and exits 0', async () => {
  const { name, open } = await person()
  const sockets = [await open(), await open()]
  await createSession(sockets[0] as SocketClient)
  const exit = panel.kill('SIGTERM')
  expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([1001, 1001])
  expect(await exit).toBe(0)
  expect(await held(name)).toBe(0)
  panel = await installation.startPanel('serve')
})
