import type { EventRecord, Position } from '@koco/core'

/** Records of one run in position order, as a spooler read them. */
export type RunRecords = { readonly fid: string; readonly records: readonly EventRecord[] }

/** Something that must not happen and did: `conflict`, another content at a position that is taken; `impossible`, a status that may not follow; `fenced`, an event above the seal of its epoch. */
export type WriteAlarm = { readonly fid: string; readonly position: Position; readonly alarm: 'conflict' | 'impossible' | 'fenced'; readonly note: string }

/** What a write did to one run. `top`: every event up to it is stored and folded, in order. */
export type WriteOutcome = { readonly fid: string; readonly top: Position; readonly ended: boolean; readonly inserted: number; readonly duplicates: number }

/** The outcome of a whole batch. */
export type WriteResult = { readonly runs: readonly WriteOutcome[]; readonly alarms: readonly WriteAlarm[] }

/** The spooler's way into the store. */
export interface EventWriter {
  /**
   * Stores a batch in one transaction, with the projections (`runs`, `locks`, the epochs' seals). Idempotent: what is stored already counts as a duplicate.
   * When it resolves the batch survives the death of the process and of the machine. Throws UnavailableError (nothing was stored, or it is not known: write the same again) or PoisonError
   * (nothing was stored, and a record in the batch is to blame: bisect).
   */
  write(batch: readonly RunRecords[]): Promise<WriteResult>
}

/** A page of events. `caughtUp`: nothing more is stored contiguously after the last record. `lost`: a declared hole lies directly before the first record that follows it. `scanned`: how far the page looked, the cursor of the next one. */
export type EventPage = {
  readonly records: readonly EventRecord[]
  readonly scanned: Position
  readonly caughtUp: boolean
  readonly lost: readonly { readonly from: Position; readonly to: Position }[]
}

/** What to read of a run's timeline: from a cursor (exclusive), the contiguous prefix only, fenced events left out. `kinds` and `q` (plain text, case-insensitive) filter: a filtered page may be empty and yet not the last; go on from its `scanned`. */
export type EventQuery = { readonly after: Position; readonly limit: number; readonly kinds?: readonly string[]; readonly q?: string }

/** The readers' way out of the store. */
export interface EventReader {
  /** The next events of a timeline; at most `limit` and about 1 MiB. An unknown run has none. */
  read(fid: string, query: EventQuery): Promise<EventPage>
}
