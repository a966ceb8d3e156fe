// Goal: the rules of SECURITY.md are enough to work with and no more. Method: the blocks are read from the page itself and given to a real Redis and Postgres; panel and spooler work under them, and each role is refused what is not its business.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { must, ORIGIN } from '@koco/core'
import { openExecutionStore } from '@koco/storage'
import { newFolder, recordedRun, startPostgres, startRedis, type PostgresServer, type RedisServer } from '@koco/testing'
import { createRedisTransport } from '@koco/transport/redis'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation } from '../processes/installation.ts'

const PAGE = readFileSync(new URL('../../../panel/SECURITY.md', import.meta.url), 'utf8')
const FLOWS = fileURLToPath(new URL('../flows/bench-flows.ts', import.meta.url))

/** A block of the page by the words behind its fence. */
function block(words: string): string {
  return must(PAGE.split(`\`\`\`${words}\n`)[1]?.split('\n```')[0], `the block ${words} of SECURITY.md`)
}

let folder: string
let redis: RedisServer
let postgres: PostgresServer
let at: Installation

const redisAs = (role: string): string => `redis://koco-${role}:${role}-password@127.0.0.1:${redis.port}`
const databaseAs = (role: string, name: string): string => `postgresql://koco_${role}:${role}-password@127.0.0.1:${postgres.port}/${name}`

async function run(url: string, statements: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    // One by one: a database cannot be made in a transaction, which several at once would be.
    for (const statement of statements.split(';').filter((text) => text.trim() !== '')) await client.query(statement)
  } finally {
    await client.end()
  }
}

beforeAll(async () => {
  folder = newFolder('acl')
  const aclfile = join(folder, 'users.acl')
  // A probe of this test, with which the server's starter sees that it answers.
  writeFileSync(aclfile, `${block('acl').replace('user default off', 'user default on nopass resetkeys -@all +ping')}\n`)
  redis = await startRedis({ config: { aclfile } })
  postgres = await startPostgres({ config: { fsync: 'off' } })
  await run(postgres.url, block('sql postgres'))
  at = await createInstallation({
    KODO_FLOWS: FLOWS,
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: redisAs('panel'),
    KODO_EXECUTION_DATABASE: databaseAs('panel', 'koco'),
    KODO_ADMIN_DATABASE: databaseAs('panel', 'koco_admin'),
    KODO_SECRET_KEY: 'a key for this test that is long enough',
  })
  const owner = { KODO_EXECUTION_DATABASE: databaseAs('owner', 'koco'), KODO_ADMIN_DATABASE: databaseAs('owner', 'koco_admin') }
  const made = at.spawn(['db', '--create-tables'], { env: owner })
  if ((await made.exited) !== 0) throw new Error(made.output())
  for (const database of ['koco', 'koco_admin']) await run(databaseAs('owner', database), block(`sql ${database}`))
})

afterAll(async () => {
  await at?.close()
  await Promise.all([redis?.stop(), postgres?.stop()])
  rmSync(folder, { recursive: true, force: true })
})

test('panel and spooler do their work under the rules, from a run to its events, a spooler that dies, and an order end', async () => {
  await at.startPanel('serve')
  const spool = () => at.spawn(['spool', '--block'], { env: { KODO_REDIS_URL: redisAs('spooler'), KODO_EXECUTION_DATABASE: databaseAs('spooler', 'koco') } })
  const first = spool()
  const client = await at.client()
  expect(await client.startAndWait('three-steps', {}), first.output()).toMatchObject({ status: 'finished' })
  const fid = await client.start('emit-many', { events: 1000, pauseMs: 100 })
  await first.until(async () => (await client.run(fid)).events > 100)
  await first.kill('SIGKILL')
  const second = spool()
  for await (const frame of client.tail(fid)) if (frame.event === 'end') break
  expect((await client.run(fid)).status, second.output()).toBe('finished')
  // What was said while no spooler ran may be said for two seconds more.
  await expect.poll(() => client.json('GET', '/api/delay')).toEqual({ delayed_since: null, because: null })
  expect(second.output()).not.toMatch(/NOPERM|permission denied|refuses/)
  expect(await second.kill('SIGTERM')).toBe(0)
})

test('what a worker does with streams, signals, the board of the living and the store is within its rights', async () => {
  const transport = createRedisTransport({ url: redisAs('worker') })
  const store = await openExecutionStore({ url: databaseAs('worker', 'koco') })
  const { run: about, timeline } = recordedRun(7, 20)
  await store.runs.create({ ...about, launcher: 'temporal', idempotencyKey: null })
  await transport.streams.create(about.fid, ORIGIN)
  const first = must(timeline[0], 'the first event')
  const body = { ts: first.ts, kind: 'attempt', step: null, data: '{"attempt":1,"reason":"start","owner":"x"}' }
  expect(await transport.streams.append(about.fid, first.epoch, 1, [body])).toMatchObject({ answer: 'ok' })
  expect(await transport.streams.top(about.fid)).toEqual({ epoch: first.epoch, seq: 1 })
  for (const topic of ['committed', 'control', 'delta', 'heard'] as const) await transport.signals.subscribe(topic, about.fid, () => undefined)
  await transport.signals.publish([
    { topic: 'delta', fid: about.fid, step: null, text: 'live' },
    { topic: 'heard', fid: about.fid },
  ])
  const { liveness } = transport
  await liveness.beat('w')
  await liveness.take('w', 'task')
  await liveness.drop('w', 'task')
  await liveness.lost(1000)
  await liveness.workers()
  await liveness.forget('w')
  await transport.check()
  await store.flows.heartbeat({ id: 'w', launcher: 'temporal', host: 'h', pid: 1, seenAt: 1 }, [])
  await store.flows.leave('w')
  await store.reader.read(about.fid, { after: ORIGIN, limit: 10 })
  await store.check()
  await transport.close()
  await store.close()
})

test('a panel asks a worker to start a run; a user of Redis who may not ask is told nothing', async () => {
  const as = (role: string) => createRedisTransport({ url: redisAs(role) })
  const [panel, worker, spooler] = [as('panel'), as('worker'), as('spooler')]
  try {
    await worker.handover.serve('w', async (request) => ({ started: request }))
    expect(await panel.handover.ask('w', 'run', 20_000)).toEqual({ started: 'run' })
    expect(await spooler.handover.ask('w', 'run', 20_000)).toBeUndefined()
  } finally {
    await Promise.all([panel, worker, spooler].map((transport) => transport.close()))
  }
})

test('a doctor finds nothing to say about the rights of each role', async () => {
  for (const role of ['worker', 'panel', 'spooler']) {
    const env = { KODO_REDIS_URL: redisAs(role), KODO_EXECUTION_DATABASE: databaseAs(role, 'koco') }
    const visit = at.spawn(['doctor'], { env })
    await visit.exited
    expect(visit.output(), role).toMatch(/ok {4}transport/)
    expect(visit.output(), role).toMatch(/ok {4}execution store/)
  }
})

const STREAM = 'kodo:events:0123456789abcdef01234567'
test.each([
  ['worker', ['xack', STREAM, 'kodo-spooler', '1-1']],
  ['worker', ['xtrim', STREAM, 'MAXLEN', '0']],
  ['worker', ['set', 'kodo:lease:x', 'me']],
  ['spooler', ['xadd', STREAM, '1-1', 'stdout 1 ', '{}']],
  ['spooler', ['xsetid', STREAM, '9-9']],
  ['spooler', ['del', STREAM]],
  ['spooler', ['subscribe', 'kodo:control']],
  ['panel', ['xreadgroup', 'GROUP', 'kodo-spooler', 'me', 'STREAMS', STREAM, '>']],
  ['panel', ['xgroup', 'DESTROY', STREAM, 'kodo-spooler']],
  ...['worker', 'panel', 'spooler'].flatMap((role) =>
    [['flushall'], ['config', 'GET', '*'], ['keys', '*'], ['get', 'another:key'], ['del', STREAM], ['acl', 'LIST'], ['client', 'KILL', 'TYPE', 'normal']].map(
      (command) => [role, command] as const,
    ),
  ),
] as const)('in Redis %s may not: %j', async (role, [command, ...args]) => {
  const client = new Redis(redisAs(role))
  try {
    await expect(client.call(command ?? '', ...args)).rejects.toThrow(/NOPERM/)
  } finally {
    client.disconnect()
  }
})

test.each([
  ['spooler', 'koco', 'UPDATE execution_events SET message = message'],
  ['spooler', 'koco', 'DELETE FROM execution_events'],
  ['worker', 'koco', "INSERT INTO execution_events (fid, epoch, seq, kind, message) VALUES ('x', 1, 1, 'x', 'x')"],
  ['worker', 'koco', 'DELETE FROM runs'],
  ['panel', 'koco', 'DROP TABLE runs'],
  ['panel', 'koco', 'CREATE TABLE mine (n int)'],
  ['panel', 'koco_admin', 'ALTER TABLE users ADD COLUMN x int'],
])('in Postgres %s may not, in %s: %s', async (role, database, statement) => {
  await expect(run(databaseAs(role, database), statement)).rejects.toThrow(/permission denied|must be owner/)
})

test.each(['worker', 'spooler'])('%s cannot open the admin database', async (role) => {
  await expect(run(databaseAs(role, 'koco_admin'), 'SELECT 1')).rejects.toThrow(/permission denied for database/)
})
