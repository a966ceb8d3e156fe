import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '@koco/core'
import { openExecutionStore } from '@koco/storage'
import { startPostgres, startRedis } from '@koco/testing'
import { createRedisTransport } from '@koco/transport/redis'
import { copyRate, oneRowPerCommitRate, tableSizes } from './baseline-postgres.ts'
import { bareLoopRate } from './baseline-sqlite.ts'
import { ownCpuSeconds, serverCpuSeconds } from './cpu.ts'
import { atLeastTimes, noted, type Figure } from './figure.ts'
import { drain, type CpuTimes } from './spool-load.ts'

const EVENTS = 100_000
/** A spooler runs for weeks: what is compared is its pace, not its first second. */
const WARM_UP = { events: 20_000, streams: 20, first: 1_000_000 }
/** Each measured next to its baseline, because the machine may be busier at one time than at another; the round with the ratio in the middle counts. */
const ROUNDS = 3

/** Events a second of ours and of the baseline, and the CPU seconds that ours took, by whom. */
type Round = { readonly rate: number; readonly baseline: number; readonly cpu: CpuTimes }

/** One spooler from Redis to Postgres; the baselines go into the same table with all its indexes, on the same server. */
export async function spoolToPostgres(streams: number): Promise<Figure[]> {
  await using redis = await startRedis()
  await using postgres = await startPostgres()
  await using database = await postgres.createDatabase()
  const store = await openExecutionStore({ url: database.url, migrate: true })
  const transport = createRedisTransport({ url: redis.url })
  const cpu = async () => ({ spooler: ownCpuSeconds(), Redis: await serverCpuSeconds(redis.pid), Postgres: await serverCpuSeconds(postgres.pid) })
  await drain(transport, store, WARM_UP, cpu)
  const before = await tableSizes(database.url)
  const rounds: Round[] = []
  let copyCpu = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const drained = await drain(transport, store, { events: EVENTS, streams, first: round * streams }, cpu)
    const copied = await copyRate(postgres, EVENTS, streams)
    copyCpu += copied.cpu
    rounds.push({ rate: EVENTS / drained.seconds, baseline: copied.rate, cpu: drained.cpu })
  }
  const after = await tableSizes(database.url)
  await Promise.all([transport.close(), store.close()])
  const single = await oneRowPerCommitRate(postgres, redis.url)
  const name = `spool to Postgres, ${streams} streams`
  const stored = ROUNDS * EVENTS
  const { rate, baseline } = middle(rounds)
  return [
    atLeastTimes(`${name}, of COPY`, rate, 'events/s', baseline, 0.7),
    atLeastTimes(`${name}, of one row a commit`, rate, 'events/s', single, 20),
    ...cpuFigures(name, rounds, { Postgres: (copyCpu / stored) * 1e6 }),
    noted(`${name}: an event in Postgres, with indexes`, (after.all - before.all) / stored, 'bytes'),
    noted(`${name}: of that in indexes`, (after.indexes - before.indexes) / stored, 'bytes'),
  ]
}

/** 5,000 open streams and one, two and four spoolers that share them: what they carry together, and how evenly. */
export async function spoolShared(): Promise<Figure[]> {
  await using redis = await startRedis()
  await using postgres = await startPostgres()
  await using database = await postgres.createDatabase()
  const store = await openExecutionStore({ url: database.url, migrate: true })
  const transport = createRedisTransport({ url: redis.url })
  const cpu = () => Promise.resolve({})
  await drain(transport, store, WARM_UP, cpu)
  const figures: Figure[] = []
  for (const [round, spoolers] of [1, 2, 4].entries()) {
    const { seconds, carried } = await drain(transport, store, { events: EVENTS, streams: 5000, first: round * 5000 }, cpu, spoolers)
    figures.push(noted(`5,000 streams, ${spoolers} spooler${spoolers > 1 ? 's' : ''}`, EVENTS / seconds, 'events/s'))
    if (spoolers > 1) figures.push(atLeastTimes(`the one of ${spoolers} that carried least`, Math.min(...carried), 'events', EVENTS / spoolers, 0.5))
  }
  await Promise.all([transport.close(), store.close()])
  return figures
}

/** One spooler from Redis to SQLite; the baseline is a bare prepared statement in transactions of 500 into one file. */
export async function spoolToSqlite(): Promise<Figure[]> {
  await using redis = await startRedis()
  const dir = await mkdtemp(join(tmpdir(), 'koco-bench-'))
  const store = await openExecutionStore({ dir, migrate: true })
  const transport = createRedisTransport({ url: redis.url })
  const cpu = async () => ({ 'spooler and store': ownCpuSeconds(), Redis: await serverCpuSeconds(redis.pid) })
  await drain(transport, store, WARM_UP, cpu)
  const rounds: Round[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const drained = await drain(transport, store, { events: EVENTS, streams: 20, first: round * 20 }, cpu)
    rounds.push({ rate: EVENTS / drained.seconds, baseline: bareLoopRate(join(dir, `bare-${round}.db`), EVENTS), cpu: drained.cpu })
  }
  const filing = performance.now()
  await Promise.all([transport.close(), store.close()])
  const filed = EVENTS / (EVENTS / must(rounds.at(-1), 'a round').rate + (performance.now() - filing) / 1000)
  await rm(dir, { recursive: true })
  const { rate, baseline } = middle(rounds)
  return [
    atLeastTimes('spool to SQLite, of a bare loop', rate, 'events/s', baseline, 0.6),
    noted('the same until all is in the files of the runs', filed, 'events/s', baseline),
    ...cpuFigures('spool to SQLite', rounds, {}),
  ]
}

function middle(rounds: readonly Round[]): Round {
  const sorted = rounds.toSorted((a, b) => a.rate / a.baseline - b.rate / b.baseline)
  return must(sorted[Math.floor(sorted.length / 2)], 'a round')
}

/** CPU seconds a million events, by whom. */
function cpuFigures(name: string, rounds: readonly Round[], baselines: CpuTimes): Figure[] {
  return Object.keys(rounds[0]?.cpu ?? {}).map((who) => {
    const used = rounds.reduce((sum, { cpu }) => sum + (cpu[who] ?? 0), 0)
    return noted(`${name}: CPU of ${who}, a million events`, (used / rounds.length / EVENTS) * 1e6, 's', baselines[who] ?? null)
  })
}
