import { randomInt } from 'node:crypto'
import { must, type EventRecord } from '@koco/core'
import { openExecutionStore, type ExecutionStore, type RunRecords } from '@koco/storage'
import { startPostgres } from '@koco/testing'
import { indexSizes, tableSizes } from './baseline-postgres.ts'
import { ownCpuSeconds, serverCpuSeconds } from './cpu.ts'
import { atLeastTimes, atMost, noted, percentile, type Figure } from './figure.ts'
import { benchRecords, benchRun } from './rows.ts'

const EVENTS_EACH = 500
/** As the spooler writes: pieces of 50 of 40 runs, two writes in flight. */
const RUNS_AT_ONCE = 40
const PIECE = 50
const LANES = 2
/** Where it is measured, in events stored. */
const MARKS = [1_000_000, 5_000_000, 10_000_000]
/** The pace at a mark is that of the last so many events. */
const PACE_EVENTS = 400_000
const LOOKS = 200
/** Looks that only prepare statements and warm the code. */
const FIRST_LOOKS = 20
const EPOCH = 1_700_000_000_000

/** 10 million events in Postgres by the writer itself: what inserting, listing and reading cost on the way there, and what lies where. */
export async function scaleTo10Million(): Promise<Figure[]> {
  await using postgres = await startPostgres()
  await using database = await postgres.createDatabase()
  const store = await openExecutionStore({ url: database.url, migrate: true })
  const figures: Figure[] = []
  const timeline = runTimeline()
  let firstRate = 0
  let stored = 0
  const cpu = { writer: ownCpuSeconds(), postgres: await serverCpuSeconds(postgres.pid) }
  for (const mark of MARKS) {
    await load(store, timeline, stored, mark - PACE_EVENTS)
    const started = performance.now()
    await load(store, timeline, mark - PACE_EVENTS, mark)
    const rate = PACE_EVENTS / ((performance.now() - started) / 1000)
    stored = mark
    firstRate ||= rate
    figures.push(atLeastTimes(`inserting at ${inMillions(mark)}`, rate, 'events/s', firstRate, 0.6), ...(await looks(store, mark)))
    process.stderr.write(
      `${figures
        .slice(-5)
        .map((figure) => `  ${figure.name}: ${figure.figure.toFixed(1)} ${figure.unit}`)
        .join('\n')}\n`,
    )
  }
  const used = { writer: ownCpuSeconds() - cpu.writer, postgres: (await serverCpuSeconds(postgres.pid)) - cpu.postgres }
  await store.close()
  const sizes = await tableSizes(database.url)
  const indexes = await indexSizes(database.url)
  return [
    ...figures,
    noted('CPU of the writer, a million events', (used.writer / stored) * 1e6, 's'),
    noted('CPU of Postgres, a million events', (used.postgres / stored) * 1e6, 's'),
    noted('an event with all indexes', sizes.all / stored, 'bytes'),
    ...indexes.map(({ name, bytes }) => noted(`of that in ${name}`, bytes / stored, 'bytes')),
  ]
}

/** A run from its seal to its end. */
function runTimeline(): readonly EventRecord[] {
  const records = benchRecords(EPOCH, EVENTS_EACH)
  const status = (index: number, name: string): EventRecord => ({ ...must(records[index], 'record'), kind: 'status', data: `{"status":"${name}"}` })
  return [must(records[0], 'seal'), status(1, 'running'), ...records.slice(2, -1), status(EVENTS_EACH - 1, 'finished')]
}

/** Stores events up to a number, in waves of runs that are under way together. */
async function load(store: ExecutionStore, timeline: readonly EventRecord[], from: number, to: number): Promise<void> {
  const each = RUNS_AT_ONCE * EVENTS_EACH
  const waves = Array.from({ length: (to - from) / each }, (_none, index) => from / EVENTS_EACH + index * RUNS_AT_ONCE)
  const lane = async (): Promise<void> => {
    for (let first = waves.shift(); first !== undefined; first = waves.shift()) await wave(store, timeline, first)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

async function wave(store: ExecutionStore, timeline: readonly EventRecord[], first: number): Promise<void> {
  const fids = await Promise.all(
    Array.from({ length: RUNS_AT_ONCE }, async (_none, offset) => {
      const run = {
        ...benchRun(first + offset),
        user: `user-${(first + offset) % 50}`,
        flow: `flow-${(first + offset) % 20}`,
        createdAt: EPOCH / 1000 + first + offset,
      }
      await store.runs.create({ ...run, launcher: 'direct', idempotencyKey: null })
      return run.fid
    }),
  )
  for (let at = 0; at < timeline.length; at += PIECE) {
    const batch: RunRecords[] = fids.map((fid) => ({ fid, records: timeline.slice(at, at + PIECE) }))
    await store.writer.write(batch)
  }
}

/** How long people wait for a page with so much in the store. */
async function looks(store: ExecutionStore, events: number): Promise<Figure[]> {
  const at = inMillions(events)
  const runs = events / EVENTS_EACH
  const slowest = async (look: () => Promise<unknown>): Promise<number> => {
    const samples: number[] = []
    for (let n = 0; n < FIRST_LOOKS + LOOKS; n += 1) {
      const started = performance.now()
      await look()
      samples.push(performance.now() - started)
    }
    return percentile(samples.slice(FIRST_LOOKS), 0.95)
  }
  const anyRun = () => benchRun(randomInt(runs)).fid
  const anyUser = () => `user-${randomInt(50)}`
  return [
    atMost(`run list at ${at}, p95`, await slowest(() => store.runs.list({ limit: 50 })), 'ms', 20),
    atMost(`run list of a user and status at ${at}, p95`, await slowest(() => store.runs.list({ limit: 50, user: anyUser(), status: ['finished'] })), 'ms', 20),
    atMost(`run list of a word at ${at}, p95`, await slowest(() => store.runs.list({ limit: 50, q: `flow-${randomInt(20)}` })), 'ms', 20),
    atMost(
      `event page at ${at}, p95`,
      await slowest(() => store.reader.read(anyRun(), { after: { epoch: EPOCH, seq: randomInt(EVENTS_EACH - 100) }, limit: 100 })),
      'ms',
      20,
    ),
  ]
}

function inMillions(events: number): string {
  return `${events / 1e6} million events`
}
