import type { DeadEventStore, EventWriter, RunRecords } from '@koco/storage'
import type { SignalBus, StreamConsumer } from '@koco/transport'

/** Where a spooler writes its log; pino's loggers fit. */
export type SpoolerLog = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What one committed batch was: events in it, how many were new, runs, and how long the write took. */
export type BatchFigures = { readonly events: number; readonly inserted: number; readonly duplicates: number; readonly runs: number; readonly writeMs: number }

/** Called as things happen, to count them. Each must return at once and not throw. */
export type SpoolerMetrics = {
  batch?(figures: BatchFigures): void
  /** Something that must not happen and did. `alarm`: `conflict`, `impossible`, `fenced` (from the store) or `foreign` (an entry that is none of ours, or was trimmed too early). */
  alarm?(alarm: string): void
  dead?(reason: DeadReason): void
  /** The records of a batch are committed; those that were delivered again are among them. */
  committed?(runs: readonly RunRecords[], writeMs: number): void
  /** So many entries came again: somebody who had read them died, stood still or lost its link before it acknowledged them. */
  redelivered?(entries: number): void
  /** The store or the transport went away (true) or came back (false). */
  delayed?(delayed: boolean): void
}

/** Why an entry was set aside. */
export type DeadReason = 'poison' | 'conflict' | 'foreign'

/** Where a test may stop a spooler dead: after the read, after the commit, after the acknowledgement of a batch. */
export type CrashPoint = 'read' | 'committed' | 'acknowledged'

/** Everything that a spooler needs. */
export type SpoolerOptions = {
  /** Shares the streams with the consumers of other spoolers. The spooler closes it at its stop. */
  readonly consumer: StreamConsumer
  readonly signals: SignalBus
  readonly writer: EventWriter
  readonly dead: DeadEventStore
  readonly log: SpoolerLog
  readonly metrics?: SpoolerMetrics
  /** Entries read of one stream in one round; a write holds up to eight times as many, of many shallow streams, or four times as many, of a few deep ones. 1 to 5,000, default 500. */
  readonly batchSize?: number
  /** How long events gather while a write is in flight, in seconds; an idle spooler never waits. Default 0.01. */
  readonly batchTimeoutS?: number
  /** Longest wait for work in one call, in ms. Default 1,000. */
  readonly blockMs?: number
  /** Streams held at a time. Default 256. */
  readonly streamsMax?: number
  /** Batches in flight, always of different streams, so that no stream is written out of order. Default 3: while two are written, one is read or acknowledged. */
  readonly lanes?: number
  /** How often leases are renewed and lost hints looked for, in ms. Defaults 5,000 and 10,000. */
  readonly renewMs?: number
  readonly sweepMs?: number
  /** Back-off while store or transport are away: full jitter below a ceiling that doubles from `first` to `last` ms. Default 50 to 5,000. */
  readonly backoffMs?: { readonly first: number; readonly last: number }
  /** Unix milliseconds. */
  readonly now?: () => number
  readonly random?: () => number
  readonly crashPoint?: (point: CrashPoint) => void | Promise<void>
}

/** The options with every default filled in; RangeError for a number that cannot work. */
export function withDefaults(options: SpoolerOptions) {
  const full = {
    metrics: {},
    batchSize: 500,
    batchTimeoutS: 0.01,
    blockMs: 1000,
    streamsMax: 256,
    lanes: 3,
    renewMs: 5000,
    sweepMs: 10_000,
    backoffMs: { first: 50, last: 5000 },
    now: Date.now,
    random: Math.random,
    crashPoint: () => {},
    ...options,
  }
  if (!(full.batchSize >= 1 && full.batchSize <= 5000)) throw new RangeError(`batchSize is ${full.batchSize}; it must be 1 to 5000`)
  if (!(full.batchTimeoutS >= 0 && full.batchTimeoutS <= 10)) throw new RangeError(`batchTimeoutS is ${full.batchTimeoutS}; it must be 0 to 10 seconds`)
  return full
}

/** Options after the defaults. */
export type FullOptions = ReturnType<typeof withDefaults>
