// Goal: whatever somebody else writes into Redis under our names, no spooler loops or stops: what is ours is stored whole, what is not becomes a dead event or is left alone.
// Method: random commands of a stranger (entries in streams of known, unknown and impossible runs, keys of another type, false hints, garbage on the channels) beside a run of our own; the seed is printed by a failure.
import { must } from '@koco/core'
import { createSpooler } from '@koco/spooler'
import { migrateExecutionStore, openExecutionStore, type ExecutionStore } from '@koco/storage'
import { checkRun, createDatabase, keyPrefix, recordedRun, within, type RecordedRun, type TestDatabase } from '@koco/testing'
import { createRedisTransport } from '@koco/transport/redis'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

const UNKNOWN = 'f'.repeat(24)
const RUNS = 25
const TEST_MS = 120_000

let database: TestDatabase
let store: ExecutionStore
let redis: Redis

beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
  await migrateExecutionStore({ url: database.url })
  store = await openExecutionStore({ url: database.url })
  redis = new Redis(inject('redisUrl'))
})

afterAll(async () => {
  redis.disconnect()
  await store.close()
  await database.drop()
})

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
const header = fc.oneof(
  fc.constantFrom('stdout 1 ', 'attempt 1 ', 'status 1 ', 'lock 1 x', 'final 1e308 ', 'stdout NaN ', 'stdout  ', ' 1 ', 'stdout -1 \u0000', 'nobody-knows 1 '),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const body = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    '{}',
    '{"text":"fine"}',
    '{"status":"finished"}',
    '{"status":7}',
    '{"attempt":1,"reason":"start","owner":"x","prev":"9-9"}',
    '{"attempt":1e9,"reason":"start","owner":"x","lost":{"from":"1-1","to":"9007199254740991-1"}}',
    '{"lid":"x","name":"n","form":{},"data":null,"expires_at":null}',
    '{',
    'null',
    '\u0000',
    '['.repeat(5000) + ']'.repeat(5000),
  ),
  bytes,
)
const fields = fc.oneof(
  fc.tuple(header, body),
  fc.array(bytes, { minLength: 2, maxLength: 8 }).map((list) => (list.length % 2 === 0 ? list : list.slice(1))),
)
const entryId = fc.constantFrom('*', 'next', 'later', '18446744073709551614-1', '9007199254740993-7')
const place = fc.constantFrom('ours', UNKNOWN, 'no run at all', '0')
const entry = fc.record({ does: fc.constant('entry' as const), place, id: entryId, fields })
const other = fc.oneof(
  fc.record({ does: fc.constant('wrong type' as const), place: fc.constantFrom(UNKNOWN, '0'.repeat(24)) }),
  fc.record({ does: fc.constant('hint' as const), member: fc.oneof(fc.constantFrom(UNKNOWN, '', 'x y'), fc.string({ unit: 'binary', maxLength: 10 })) }),
  fc.record({ does: fc.constant('publish' as const), channel: fc.constantFrom('committed', 'control', 'live:x'), message: fc.oneof(bytes, body) }),
)
type Deed = typeof entry | typeof other extends fc.Arbitrary<infer T> ? T : never

async function commit(prefix: string, deed: Deed, ours: RecordedRun): Promise<void> {
  const stream = (fid: string) => `${prefix}events:${fid}`
  if (deed.does === 'publish') return void (await redis.publish(`${prefix}${deed.channel}`, deed.message))
  if (deed.does === 'hint') return void (await redis.zadd(`${prefix}ready`, 0, deed.member))
  const fid = deed.place === 'ours' ? ours.run.fid : deed.place
  await redis.sadd(`${prefix}active`, fid)
  await redis.zadd(`${prefix}ready`, 0, fid)
  if (deed.does === 'wrong type') return void (await redis.set(stream(fid), 'not a stream'))
  const last = must(ours.timeline.at(-1), 'the last event')
  const id = { next: `${last.epoch}-${last.seq + 1}`, later: `${last.epoch + 5}-1` }[deed.id as 'next'] ?? deed.id
  // One that does not fit any more (below the top, another type) is no deed.
  await redis.xadd(stream(fid), id, ...(deed.fields as [string, string])).catch(() => undefined)
}

test('what a stranger writes harms nothing of ours and stops nobody', { timeout: TEST_MS }, async () => {
  let seed = 1000
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof({ weight: 3, arbitrary: entry }, { weight: 2, arbitrary: other }), { minLength: 1, maxLength: 6 }), async (deeds) => {
      const prefix = keyPrefix()
      const [ours, beside] = [recordedRun(seed++, 15), recordedRun(seed++, 15)]
      const transport = createRedisTransport({ url: inject('redisUrl'), streamPrefix: `${prefix}events:`, leaseMs: 300 })
      const errors: string[] = []
      const off = await transport.signals.subscribe('committed', '*', () => undefined)
      for (const run of [ours, beside]) await appendAll(transport, run)
      for (const deed of deeds) await commit(prefix, deed, ours)
      const spooler = createSpooler({
        consumer: transport.consumer('one'),
        signals: transport.signals,
        writer: store.writer,
        dead: store.dead,
        log: { info: () => {}, warn: () => {}, error: (_fields, message) => void errors.push(message) },
        backoffMs: { first: 1, last: 5 },
        blockMs: 20,
        renewMs: 50,
        sweepMs: 30,
      })
      spooler.start()
      for (const run of [ours, beside]) await expect.poll(() => folded(run), { interval: 5, timeout: 25_000 }).toBe(true)
      // All that can be read is read and acknowledged.
      const watcher = transport.consumer('watcher')
      await expect.poll(async () => (await watcher.status()).reduce((sum, one) => sum + one.lag, 0), { interval: 10, timeout: 25_000 }).toBe(0)
      errors.length = 0
      await new Promise((resolve) => setTimeout(resolve, 60))
      expect(errors).toEqual([])
      expect(await violations(beside)).toEqual([])
      off()
      await spooler.stop(1000)
      await transport.close()
    }),
    { numRuns: RUNS, endOnFailure: true, ...within(TEST_MS) },
  )
})

async function appendAll(transport: ReturnType<typeof createRedisTransport>, { run, timeline }: RecordedRun): Promise<void> {
  await store.runs.create({ ...run, launcher: 'direct', idempotencyKey: null })
  await transport.streams.create(run.fid, { epoch: 0, seq: 0 })
  for (const { epoch, seq, ts, kind, step, data } of timeline) {
    const { prev: _, ...rest } = kind === 'attempt' ? (JSON.parse(data) as Record<string, unknown>) : {}
    await transport.streams.append(run.fid, epoch, seq, [{ ts, kind, step, data: kind === 'attempt' ? JSON.stringify(rest) : data }])
  }
}

/** The store has all of a run; a stranger's event may stand above it. */
async function folded({ run, timeline }: RecordedRun): Promise<boolean> {
  const last = must(timeline.at(-1), 'the last event')
  const { records } = await store.reader.read(run.fid, { after: { epoch: 0, seq: 0 }, limit: 500 })
  return records.some(({ epoch, seq }) => epoch === last.epoch && seq === last.seq)
}

async function violations({ run, timeline }: RecordedRun): Promise<unknown[]> {
  const { records } = await store.reader.read(run.fid, { after: { epoch: 0, seq: 0 }, limit: 500 })
  return checkRun({ fid: run.fid, acknowledged: timeline, stored: records, timeline: records })
}
