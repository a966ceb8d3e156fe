import type { EventRecord, Position } from '@koco/core'
import { must, ORIGIN } from '@koco/core'
import type { EventWriter, ExecutionStore } from '@koco/storage'
import { checkRun, recordedRun, type RecordedRun } from '@koco/testing'
import type { RecordBody, SignalBus, StreamConsumer, Transport } from '@koco/transport'
import type { CrashPoint, SpoolerLog, SpoolerOptions } from '../options.ts'
import { createSpooler, type Spooler } from '../spooler.ts'

/** A spooler's own links; `kill` cuts them as the death of its process would. */
export type Links = { readonly consumer: StreamConsumer; readonly signals: SignalBus; kill(): Promise<void> }

/** A transport and a store over fresh data. */
export type SpoolerFixture = {
  readonly store: ExecutionStore
  readonly transport: Transport
  links(name: string): Promise<Links>
  dispose(): Promise<void>
}

/** Nothing is printed; a test that wants the log looks into the metrics. */
export const SILENT: SpoolerLog = { info: () => {}, warn: () => {}, error: () => {} }

/** How much later than the store a spooler learns of its commit. Longer than `eventually` looks away, so a test that takes the one for the other fails always. */
const REPLY_MS = 10

/** A spooler over a fixture with short waits, whose writer's replies are late, as a network's may be; `change` overrides. */
export async function startSpooler(fixture: SpoolerFixture, name: string, change: Partial<SpoolerOptions> = {}): Promise<{ spooler: Spooler; links: Links }> {
  const links = await fixture.links(name)
  const spooler = createSpooler({
    consumer: links.consumer,
    signals: links.signals,
    dead: fixture.store.dead,
    log: SILENT,
    backoffMs: { first: 1, last: 10 },
    blockMs: 50,
    renewMs: 100,
    sweepMs: 100,
    ...change,
    writer: lateWriter(change.writer ?? fixture.store.writer),
  })
  spooler.start()
  return { spooler, links }
}

/** The store has the batch before the spooler hears of it. */
function lateWriter(writer: EventWriter): EventWriter {
  return {
    async write(batch) {
      const result = await writer.write(batch)
      await new Promise((resolve) => setTimeout(resolve, REPLY_MS))
      return result
    },
  }
}

/** A crash point at which a spooler stands still for ever, as if it were dead, and a promise that it has come there. */
export function standStill(at: CrashPoint): { reached: Promise<void>; crashPoint: (point: CrashPoint) => Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const crashPoint = (point: CrashPoint): Promise<void> => {
    if (point !== at) return Promise.resolve()
    resolve()
    return new Promise(() => {})
  }
  return { reached: promise, crashPoint }
}

/** A writer that fails as `fault` says before each write: an error to throw, or undefined to pass. */
export function faultyWriter(writer: EventWriter, fault: (records: readonly EventRecord[]) => Error | undefined): EventWriter {
  return {
    async write(batch) {
      const error = fault(batch.flatMap((run) => run.records))
      if (error) throw error
      return writer.write(batch)
    },
  }
}

/** The runs of these seeds, each with about `events` events in one or more epochs; what zombies wrote is left out, since appends would refuse it. */
export function someRuns(seeds: readonly number[], events: number): RecordedRun[] {
  return seeds.map((seed) => recordedRun(seed, events))
}

/** Creates the run's row and its stream. */
export async function createRun({ store, transport }: SpoolerFixture, { run }: RecordedRun): Promise<void> {
  await store.runs.create({ ...run, launcher: 'direct', idempotencyKey: null })
  await transport.streams.create(run.fid, ORIGIN)
}

/** Appends a run's timeline as its producers did, in pieces of `size`; resolves when all of it is acknowledged. */
export async function appendRun({ transport }: SpoolerFixture, { run, timeline }: RecordedRun, size: number): Promise<void> {
  const pending: Promise<unknown>[] = []
  for (const records of pieces(timeline, size)) {
    const first = must(records[0], 'a record')
    const bodies = records.map(({ ts, kind, step, data }) => ({ ts, kind, step, data: unsealed(kind, data) }))
    const append = appendPiece(transport, run.fid, first, bodies)
    pending.push(append)
    // In memory an append is answered only when it is committed, so the next one must not wait for it. Over Redis it must, as a producer does: two on their way may be overtaken while the script is loaded.
    if (transport.streams.commits) await Promise.race([append, new Promise((resolve) => setImmediate(resolve))])
    else await append
  }
  await Promise.all(pending)
}

async function appendPiece(transport: Transport, fid: string, { epoch, seq }: Position, bodies: readonly RecordBody[]): Promise<void> {
  const { answer } = await transport.streams.append(fid, epoch, seq, bodies)
  if (answer !== 'ok') throw new Error(`append of ${fid} at ${epoch}-${seq} answered ${answer}`)
}

/** The whole timeline that readers get. */
export async function timelineOf(store: ExecutionStore, fid: string): Promise<EventRecord[]> {
  const records: EventRecord[] = []
  let after: Position = ORIGIN
  for (;;) {
    const page = await store.reader.read(fid, { after, limit: 500 })
    records.push(...page.records)
    const last = page.records.at(-1)
    if (page.caughtUp || !last) return records
    after = last
  }
}

/** What is wrong with a run in the store, judged by what its producers had acknowledged; nothing in a sound one. */
export async function violations(store: ExecutionStore, { run, timeline }: RecordedRun): Promise<string[]> {
  const stored = await timelineOf(store, run.fid)
  const found = checkRun({ fid: run.fid, acknowledged: timeline, stored, timeline: stored })
  return found.map(({ rule, position }) => `${run.fid} ${rule} ${position}`)
}

/** Resolves when the store has folded all of a run. The spooler hears of it later: what it does then (alarms, dead events, its own figures) is awaited by `carried`. */
export async function stored(store: ExecutionStore, { run, timeline }: RecordedRun): Promise<void> {
  const last = must(timeline.at(-1), 'the last event')
  await eventually(async () => {
    const top = (await store.runs.get(run.fid))?.lastPosition
    return top?.epoch === last.epoch && top.seq === last.seq
  })
}

/** Resolves when spoolers have brought all events of these runs to their end: stored, alarms raised, acknowledged. */
export async function carried(spoolers: readonly Spooler[], runs: readonly RecordedRun[]): Promise<void> {
  const all = runs.reduce((sum, run) => sum + run.timeline.length, 0)
  await eventually(() => spoolers.reduce((sum, spooler) => sum + spooler.status().events, 0) >= all)
}

/** Resolves when `holds` does; the test's own time limit ends the waiting. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2))
}

function pieces(records: readonly EventRecord[], size: number): EventRecord[][] {
  const cut: EventRecord[][] = []
  for (const record of records) {
    const last = cut.at(-1)
    if (last && last.length < size && last[0]?.epoch === record.epoch) last.push(record)
    else cut.push([record])
  }
  return cut
}

/** The seal is the append's to write. */
function unsealed(kind: string, data: string): string {
  if (kind !== 'attempt') return data
  const { prev: _, ...rest } = JSON.parse(data) as Record<string, unknown>
  return JSON.stringify(rest)
}
