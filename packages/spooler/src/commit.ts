import type { EventRecord } from '@koco/core'
import { EVENT_BYTES_MAX, formatPosition, must, UnavailableError } from '@koco/core'
import type { RunRecords, WriteAlarm, WriteResult } from '@koco/storage'
import type { Signal, StreamBatch } from '@koco/transport'
import { backoffMs, insist, pause, type Backoff } from './backoff.ts'
import { cutWrites, halve, sortBatch, type ForeignEntry, type ReadBatch } from './batch.ts'
import type { Breaker } from './breaker.ts'
import type { Health } from './health.ts'
import type { DeadReason, FullOptions } from './options.ts'

/** How often a record that the store refuses is tried before it is set aside; earlier deliveries count. */
const ATTEMPTS_MAX = 5

/** A write that takes longer is worth a line in the log, one in so many ms. */
const SLOW_MS = 400
const SLOW_EVERY_MS = 2000

/** What a committer works with: the spooler's options and the state that its lanes share. */
export type CommitDeps = {
  readonly options: FullOptions
  readonly breaker: Breaker
  readonly backoff: Backoff
  readonly signal: AbortSignal
  readonly health: Health
}

/**
 * Brings what was read to its end: one transaction in the store, then the acknowledgement, then the news. Resolves when all of it is committed and acknowledged or set aside as dead; rejects only when
 * `signal` aborts: then nothing that is not committed has been acknowledged.
 */
export async function commit(deps: CommitDeps, streams: readonly StreamBatch[]): Promise<ReadBatch> {
  const batch = sortBatch(streams)
  if (batch.acks.length === 0) return batch
  tellRedelivered(deps, streams)
  const started = deps.options.now()
  for (const foreign of batch.foreign) await buryForeign(deps, foreign)
  const result: { runs: WriteResult['runs'][number][]; alarms: WriteAlarm[] } = { runs: [], alarms: [] }
  for (const write of cutWrites(batch)) {
    if (write.length === 0) continue
    const done = await writeAround(deps, write, streams)
    result.runs.push(...done.runs)
    result.alarms.push(...done.alarms)
  }
  for (const alarm of result.alarms) await raise(deps, alarm, batch)
  await deps.options.crashPoint('committed')
  const writeMs = deps.options.now() - started
  if (writeMs > SLOW_MS) deps.health.slow(SLOW_EVERY_MS, { events: batch.events, runs: batch.runs.length, write_ms: writeMs })
  countBatch(deps, result, batch, writeMs)
  deps.options.metrics.committed?.(batch.runs, writeMs)
  await Promise.all([acknowledge(deps, batch, result), publish(deps, result)])
  await deps.options.crashPoint('acknowledged')
  return batch
}

/** Says what has been delivered before: the only trace of a spooler that died, or stood still for longer than its leases, in the middle of a batch. */
function tellRedelivered({ options: { log, metrics } }: CommitDeps, streams: readonly StreamBatch[]): void {
  const again = streams
    .map(({ fid, entries }) => ({ fid, entries: entries.filter(({ deliveries }) => deliveries > 1).length }))
    .filter(({ entries }) => entries > 0)
  const entries = again.reduce((sum, one) => sum + one.entries, 0)
  if (entries === 0) return
  metrics.redelivered?.(entries)
  log.warn(
    { entries, runs: again.map(({ fid }) => fid).slice(0, 20) },
    `${entries} entries were delivered again: whoever had read them did not acknowledge them`,
  )
}

/** Writes a batch; a batch that fails for what is in it is halved until the one record is found, and that one is set aside. Parts are written in order. */
async function writeAround(deps: CommitDeps, batch: readonly RunRecords[], streams: readonly StreamBatch[]): Promise<WriteResult> {
  try {
    return await deps.breaker.run(() => deps.options.writer.write(batch), deps.signal)
  } catch (error) {
    deps.signal.throwIfAborted()
    const halves = halve(batch)
    if (!halves) return writeAlone(deps, batch, streams, error)
    const first = await writeAround(deps, halves[0], streams)
    const second = await writeAround(deps, halves[1], streams)
    return { runs: [...first.runs, ...second.runs], alarms: [...first.alarms, ...second.alarms] }
  }
}

async function writeAlone(deps: CommitDeps, batch: readonly RunRecords[], streams: readonly StreamBatch[], first: unknown): Promise<WriteResult> {
  const { fid, records } = must(batch[0], 'the run of a refused record')
  const record = must(records[0], 'the refused record')
  let error = first
  for (let tries = Math.max(1, deliveries(streams, fid, record)); tries < ATTEMPTS_MAX; tries++) {
    await pause(backoffMs(deps.backoff, tries), deps.signal)
    try {
      return await deps.breaker.run(() => deps.options.writer.write(batch), deps.signal)
    } catch (again) {
      deps.signal.throwIfAborted()
      error = again
    }
  }
  await bury(deps, 'poison', { fid, position: formatPosition(record), note: messageOf(error), body: JSON.stringify(record) })
  return { runs: [], alarms: [] }
}

function deliveries(streams: readonly StreamBatch[], fid: string, record: EventRecord): number {
  const entries = streams.find((stream) => stream.fid === fid)?.entries ?? []
  return entries.find(({ position }) => position.epoch === record.epoch && position.seq === record.seq)?.deliveries ?? 1
}

async function buryForeign(deps: CommitDeps, { fid, entry }: ForeignEntry): Promise<void> {
  deps.options.metrics.alarm?.('foreign')
  const note = entry.raw === undefined ? 'trimmed before it was acknowledged: its content is lost' : 'no event of this system'
  await bury(deps, 'foreign', { fid, position: formatPosition(entry.position), note, body: entry.raw ?? '' })
}

async function raise(deps: CommitDeps, alarm: WriteAlarm, batch: ReadBatch): Promise<void> {
  const position = formatPosition(alarm.position)
  deps.options.metrics.alarm?.(alarm.alarm)
  deps.options.log.error({ fid: alarm.fid, position, alarm: alarm.alarm, note: alarm.note }, `event ${position} of run ${alarm.fid}: ${alarm.alarm}`)
  if (alarm.alarm !== 'conflict') return
  const records = batch.runs.find((run) => run.fid === alarm.fid)?.records ?? []
  const record = records.find(({ epoch, seq }) => epoch === alarm.position.epoch && seq === alarm.position.seq)
  await bury(deps, 'conflict', { fid: alarm.fid, position, note: alarm.note, body: JSON.stringify(record ?? null) })
}

type Burial = { readonly fid: string; readonly position: string; readonly note: string; readonly body: string }

async function bury(deps: CommitDeps, reason: DeadReason, { fid, position, note, body }: Burial): Promise<void> {
  const { dead, now, metrics, log } = deps.options
  const event = { fid, position, reason: storable(`${reason}: ${note}`), body: storable(body), at: now() / 1000 }
  await insist(() => deps.breaker.run(() => dead.add(event), deps.signal), {
    backoff: deps.backoff,
    signal: deps.signal,
    failed: (error) => log.error({ err: error, fid, position }, `the dead event ${position} of run ${fid} could not be set aside yet; its stream waits`),
  })
  metrics.dead?.(reason)
  log.error({ fid, position, reason, note }, `event ${position} of run ${fid} was set aside as dead (${reason}): see \`koco dead list\``)
}

async function acknowledge(deps: CommitDeps, batch: ReadBatch, result: WriteResult): Promise<void> {
  const { consumer } = deps.options
  const stubborn = { backoff: deps.backoff, signal: deps.signal, failed: (error: unknown) => deps.health.failed('transport', error) }
  await insist(() => consumer.ack(batch.acks), stubborn)
  const ended = result.runs.filter((run) => run.ended).map((run) => run.fid)
  if (ended.length > 0) await insist(() => consumer.expire([...new Set(ended)]), stubborn)
  deps.health.works('transport')
}

/** Signals are news for whoever listens now; a lost one is healed by the listeners' own re-check, so a failure is only logged. */
async function publish(deps: CommitDeps, result: WriteResult): Promise<void> {
  const tops = new Map<string, Signal>()
  for (const { fid, top, ended } of result.runs) tops.set(fid, { topic: 'committed', fid, position: formatPosition(top), ended })
  if (tops.size === 0) return
  try {
    await deps.options.signals.publish([...tops.values()])
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    deps.options.log.warn({ err: error }, 'readers were not told of new events; they look again by themselves')
  }
}

function countBatch(deps: CommitDeps, result: WriteResult, batch: ReadBatch, writeMs: number): void {
  let inserted = 0
  let duplicates = 0
  for (const run of result.runs) {
    inserted += run.inserted
    duplicates += run.duplicates
  }
  deps.options.metrics.batch?.({ events: batch.events, inserted, duplicates, runs: batch.runs.length, writeMs })
}

/** Text that every store takes: what is set aside may be anything. */
function storable(text: string): string {
  return text
    .slice(0, 2 * EVENT_BYTES_MAX)
    .toWellFormed()
    .replaceAll('\0', '\ufffd')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
