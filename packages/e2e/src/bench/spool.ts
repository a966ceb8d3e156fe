import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionStore } from '@koco/storage'
import { openExecutionStore } from '@koco/storage'
import { createSpooler } from '@koco/spooler'
import { startPostgres, startRedis } from '@koco/testing'
import { createRedisTransport } from '@koco/transport/redis'
import type { Transport } from '@koco/transport'
import { ORIGIN } from '@koco/core'
import { copyRate, oneRowPerCommitRate } from './baseline-postgres.ts'
import { bareLoopRate } from './baseline-sqlite.ts'
import { atLeastTimes, type Figure } from './figure.ts'
import { quietLog } from './quiet-log.ts'
import { benchBodies, benchRun } from './rows.ts'

const EVENTS = 100_000
/** A spooler runs for weeks: what is compared is its pace, not its first second. Warm-up runs have numbers from here on. */
const WARM_UP = { events: 20_000, streams: 20, first: 1_000_000 }
const APPEND_BATCH = 500

/** One spooler from Redis to Postgres; the baselines go into the same table with all its indexes, on the same server. */
export async function spoolToPostgres(streams: number): Promise<Figure[]> {
  await using redis = await startRedis()
  await using postgres = await startPostgres()
  await using database = await postgres.createDatabase()
  const store = await openExecutionStore({ url: database.url, migrate: true })
  const rate = await spoolRate(redis.url, store, streams)
  await store.close()
  const copy = await copyRate(postgres, EVENTS, streams)
  const single = await oneRowPerCommitRate(postgres, redis.url)
  const name = `spool to Postgres, ${streams} streams`
  return [atLeastTimes(`${name}, of COPY`, rate, 'events/s', copy, 0.6), atLeastTimes(`${name}, of one row a commit`, rate, 'events/s', single, 20)]
}

/** One spooler from Redis to SQLite; the baseline is a bare prepared statement in transactions of 500 into one file. */
export async function spoolToSqlite(): Promise<Figure[]> {
  await using redis = await startRedis()
  const dir = await mkdtemp(join(tmpdir(), 'koco-bench-'))
  const store = await openExecutionStore({ dir, migrate: true })
  const start = performance.now()
  const rate = await spoolRate(redis.url, store, 20)
  await store.close()
  const folded = EVENTS / ((performance.now() - start) / 1000)
  const bare = bareLoopRate(join(dir, 'bare.db'), EVENTS)
  await rm(dir, { recursive: true })
  return [
    atLeastTimes('spool to SQLite, of a bare loop', rate, 'events/s', bare, 0.5),
    { ...atLeastTimes('the same until all files are folded', folded, 'events/s', bare, 0), goal: '', holds: null },
  ]
}

type Load = { readonly events: number; readonly streams: number; readonly first: number }

async function spoolRate(redisUrl: string, store: ExecutionStore, streams: number): Promise<number> {
  const transport = createRedisTransport({ url: redisUrl })
  await drain(transport, store, WARM_UP)
  const seconds = await drain(transport, store, { events: EVENTS, streams, first: 0 })
  await transport.close()
  return EVENTS / seconds
}

/** Fills the streams, then lets a spooler loose on them; the seconds until all is committed. */
async function drain(transport: Transport, store: ExecutionStore, load: Load): Promise<number> {
  await fill(transport, store, load)
  const spooler = createSpooler({ consumer: transport.consumer('bench-1'), signals: transport.signals, writer: store.writer, dead: store.dead, log: quietLog })
  const start = performance.now()
  const done = allCommitted(transport, load)
  spooler.start()
  await done
  const seconds = (performance.now() - start) / 1000
  await spooler.stop(5000)
  return seconds
}

async function fill(transport: Transport, store: ExecutionStore, { events, streams, first }: Load): Promise<void> {
  const bodies = benchBodies(events / streams)
  for (let index = first; index < first + streams; index += 1) {
    const run = benchRun(index)
    await store.runs.create({ ...run, launcher: 'direct', idempotencyKey: null })
    await transport.streams.create(run.fid, ORIGIN)
    for (let from = 0; from < bodies.length; from += APPEND_BATCH)
      await transport.streams.append(run.fid, 1_700_000_000_000, from + 1, bodies.slice(from, from + APPEND_BATCH))
  }
}

/** Resolves when the spooler has said of every stream that its last event is committed. */
async function allCommitted(transport: Transport, { events, streams, first }: Load): Promise<void> {
  const last = `1700000000000-${events / streams}`
  const open = new Set(Array.from({ length: streams }, (_none, index) => benchRun(first + index).fid))
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = await transport.signals.subscribe('committed', '*', ({ fid, position }) => {
    if (position === last) open.delete(fid)
    if (open.size === 0) resolve()
  })
  await promise
  end()
}
