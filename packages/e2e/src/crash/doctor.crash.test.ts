// Goal: `koco doctor` names the cause of each fault and what to do. Method: real servers, broken one way after the other; the command is run as a person would, its words are read.
import { createRedisTransport } from '@koco/transport/redis'
import { startPostgres, startRedis, type PostgresServer, type RedisServer } from '@koco/testing'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation } from '../processes/installation.ts'

let redis: RedisServer
let postgres: PostgresServer
let at: Installation
let direct: Redis

beforeAll(async () => {
  redis = await startRedis({ config: { appendonly: 'yes' } })
  postgres = await startPostgres({ config: { max_connections: '20', fsync: 'off' } })
  const database = await postgres.createDatabase()
  at = await createInstallation({ KODO_EVENT_TRANSPORT: 'redis', KODO_REDIS_URL: redis.url, KODO_EXECUTION_DATABASE: database.url })
  direct = new Redis(redis.url)
  direct.on('error', () => undefined)
})

afterAll(async () => {
  direct.disconnect()
  await at.close()
  await Promise.all([redis.stop(), postgres.stop()])
})

/** The lines of a doctor's visit, and how it ended. */
async function visit(args: readonly string[] = []): Promise<{ readonly text: string; readonly code: number | null }> {
  const child = at.spawn(['doctor', ...args])
  const code = await child.exited
  return { text: child.output(), code }
}

test('a database without tables', async () => {
  const { text, code } = await visit()
  expect(text).toMatch(/FAIL {2}execution store: .* run koco db --create-tables/)
  expect(code).toBe(1)
  expect(await at.spawn(['db', '--create-tables']).exited).toBe(0)
})

test('all well', async () => {
  const { text, code } = await visit()
  expect(text).toMatch(/ok {4}events: 0 events wait, no spooler runs/)
  expect(code).toBe(0)
})

test('events that nobody takes', async () => {
  const transport = createRedisTransport({ url: redis.url })
  const fid = 'a'.repeat(24)
  await transport.streams.create(fid, { epoch: 0, seq: 0 })
  await transport.streams.append(fid, 1000, 1, [{ kind: 'attempt', ts: 1, step: null, data: '{"attempt":1,"reason":"start","owner":"x"}' }])
  await transport.close()
  expect((await visit()).text).toMatch(/note {2}events: 1 events wait and no spooler .* start one with koco spool/)
  await direct.flushall()
})

const faults: readonly {
  readonly fault: string
  readonly breaks: () => Promise<unknown>
  readonly says: RegExp
  readonly code?: number
  readonly mends: () => Promise<unknown>
}[] = [
  {
    fault: 'Redis out of memory',
    breaks: () => direct.config('SET', 'maxmemory', '1'),
    says: /FAIL {2}transport: .*reached maxmemory: raise it/,
    mends: () => direct.config('SET', 'maxmemory', '0'),
  },
  {
    fault: 'Redis read-only',
    breaks: () => direct.replicaof('127.0.0.1', 1),
    says: /FAIL {2}transport: .*This Redis is a replica: point KODO_REDIS_URL at the primary/,
    mends: () => direct.replicaof('NO', 'ONE'),
  },
  {
    fault: 'Redis that evicts',
    breaks: () => direct.config('SET', 'maxmemory-policy', 'allkeys-lru'),
    says: /FAIL {2}transport: .*Set it to noeviction/,
    // It can be reached, and must not be used.
    code: 1,
    mends: () => direct.config('SET', 'maxmemory-policy', 'noeviction'),
  },
  { fault: 'Redis away', breaks: () => redis.kill(), says: /FAIL {2}transport: Redis at .* did not answer/, mends: () => redis.restart() },
  {
    fault: 'Postgres away',
    breaks: () => postgres.kill(),
    says: /FAIL {2}execution store: .*(ECONNREFUSED|cannot be used now)/,
    mends: () => postgres.restart(),
  },
]

test.each(faults)('$fault', async ({ breaks, says, mends, code: wanted = 3 }) => {
  await breaks()
  const { text, code } = await visit()
  await mends()
  expect(text).toMatch(says)
  expect(code).toBe(wanted)
})

test('Postgres out of connections', async () => {
  const crowd: Client[] = []
  for (let full = false; !full;) {
    const client = new Client({ connectionString: postgres.url })
    client.on('error', () => undefined)
    await client.connect().then(
      () => crowd.push(client),
      () => (full = true),
    )
  }
  const { text, code } = await visit()
  await Promise.all(crowd.map((client) => client.end()))
  expect(text).toMatch(/FAIL {2}execution store: .*too many clients/)
  expect(code).toBe(3)
})

test('Temporal away', async () => {
  const { text, code } = await visit(['--execution-mode', 'temporal', '--temporal-host', '127.0.0.1:1'])
  expect(text).toMatch(/FAIL {2}temporal: Temporal at 127\.0\.0\.1:1 did not answer/)
  expect(code).toBe(3)
})
