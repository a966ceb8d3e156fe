import type { EventRecord, LockState, Position, RunState } from '@koco/core'
import type { ControlRequest } from './runs.ts'
import type { DeadEvent } from './dead-events.ts'
import type { LockAnswer } from './locks.ts'
import type { Page } from './page.ts'
import type { Schedule } from './schedules.ts'
import type { EpochSeal, Hole } from '../projection.ts'
import type { EntryRow } from '../sessions/entry.ts'
import type { ChatSession } from './sessions.ts'
import type { SideRow, SideTable } from '../side-tables.ts'

/**
 * Everything that a store holds of a run besides its events, in the words of neither back end: what is folded from the events, where it stands, and what the events do not tell (launcher, idempotency
 * key, answers not yet taken, what people want of it). `topEpoch`: the latest epoch stored or given out. `waiting`: events stand above the last position, behind a hole.
 */
export type RunCopy = {
  readonly state: RunState
  readonly launcher: string
  readonly idempotencyKey: string | null
  readonly archived: boolean
  readonly topEpoch: number
  readonly waiting: boolean
  readonly seals: readonly EpochSeal[]
  readonly holes: readonly Hole[]
  readonly locks: readonly LockState[]
  readonly answers: readonly LockAnswer[]
  readonly control: ControlRequest | null
}

/** A conversation with its whole log, as it is stored; `draft` is JSON text. */
export type SessionCopy = { readonly session: ChatSession; readonly draft: string | null; readonly entries: readonly EntryRow[] }

/** A run that is over and that nobody needs any more but to look at it. `bytes`: about what its events and their large results take. Times are unix seconds. */
export type EndedRun = {
  readonly fid: string
  readonly flow: string
  readonly user: string
  readonly createdAt: number
  readonly endedAt: number
  readonly events: number
  readonly bytes: number
}

/** A run's file as it was when a snapshot was made: where it lies, the highest position in it, and by what a change of it is known. */
export type FileFacts = Position & { readonly home: string; readonly size: number; readonly mtimeMs: number }

/** A run in a snapshot; `file` where its events lie in a file of their own that was at rest. */
export type RunLine = { readonly copy: RunCopy; readonly file: FileFacts | null }

/** A page of what a store holds at one moment. */
export type StorePart =
  | { readonly kind: 'runs'; readonly lines: readonly RunLine[] }
  | { readonly kind: 'sessions'; readonly lines: readonly { readonly copy: SessionCopy }[] }
  | { readonly kind: 'schedules'; readonly lines: readonly { readonly schedule: Schedule }[] }
  | { readonly kind: 'dead'; readonly lines: readonly { readonly event: DeadEvent }[] }
  | { readonly kind: 'side'; readonly lines: readonly { readonly table: SideTable; readonly row: SideRow }[] }

/** A run of which something is stored; `home`: the folder that holds its file, where there is one and its row may be lost. */
export type StoredRunPlace = { readonly fid: string; readonly home: string | null }

/**
 * How a run is folded anew. `decided`: from its first event, with what was decided once about its timeline (seals, losses): what readers were shown stays. `scratch`: from all that is stored, when
 * nothing else is known. `above`: only what is stored above its position.
 */
export type RefoldMode = 'decided' | 'scratch' | 'above'

/** How to fold a run anew. `write`: store what comes out. `launcher`: whose a run becomes of which only events are left. */
export type Refold = { readonly mode: RefoldMode; readonly write: boolean; readonly launcher: string }

/** In what a run differed from what its events give (`run`: there is no row of it), and the position to which they fold it. */
export type Refolded = { readonly fid: string; readonly differs: readonly string[]; readonly position: Position }

/** What a part of a snapshot came to. `folded`: the runs that had to be folded on; `gone`: those left out, because they were removed after it was made. */
export type Restored = { readonly folded: readonly Refolded[]; readonly gone: readonly string[] }

/** `cursor`: the runs up to this fid were folded by the newer projector. */
export type Projection = { readonly version: number; readonly cursor: string | null }

/** What whoever keeps house needs of a store: to take old runs away, to copy a store, to read what is really stored. Nothing here is on the path of an event. */
export interface StoreKeeper {
  /**
   * Runs that have been over since before `endedBefore`, newest first by their creation. Left out: a run whose parent is not over (it may read its child's result again), and one to which a later try
   * was given since. RefusedError `bad_cursor`.
   */
  ended(query: { readonly endedBefore: number; readonly cursor?: string; readonly limit: number }): Promise<Page<EndedRun>>
  /** Takes these runs away with all that belongs to them, of those that `ended` would still give; says which went. Killed at any moment, it has taken each of them whole or not at all, and calling it again finishes. */
  remove(fids: readonly string[], endedBefore: number): Promise<readonly string[]>
  /** Gives disk space of removed runs back to the system, a step at a time; true while there is more. Postgres does that by itself and always says false. */
  reclaim(): Promise<boolean>
  /** Packs the whole store: takes as long as writing it anew, and others wait. Only needed for space that `reclaim` cannot give back: of a SQLite index made before it could, of Postgres at once. */
  compact(): Promise<void>
  /** Runs behind `after` in the order of their fids, each read in one piece. */
  copies(after: string | null, limit: number): Promise<readonly RunCopy[]>
  /** Everything that is stored of a run behind a position, in position order: fenced events and what waits behind a hole too. `complete`: nothing follows. */
  records(fid: string, after: Position, limit: number): Promise<{ readonly records: readonly EventRecord[]; readonly complete: boolean }>
  /** Stores events without folding them; what is there stays. */
  addRecords(run: Pick<RunState, 'fid' | 'user'>, records: readonly EventRecord[]): Promise<void>
  /** Stores runs as they were copied, over what is known of them. */
  put(copies: readonly RunCopy[]): Promise<void>
  /** Conversations behind `after` in the order of their ids, each read in one piece. */
  sessionCopies(after: string | null, limit: number): Promise<readonly SessionCopy[]>
  /** Stores conversations as they were copied, over what is known of them. */
  putSessions(copies: readonly SessionCopy[]): Promise<void>
  /** How many runs there are and how many events were folded into them; cheap enough to be asked every few seconds. */
  totals(): Promise<{ readonly runs: number; readonly events: number }>
  /** Everything that follows from events and all that stands beside it, a page at a time, as it all is at one moment. */
  moment(visit: (part: StorePart) => Promise<void>): Promise<void>
  /** Puts a part of such a moment in place, and folds on the runs of which later events are stored. A run whose events are all gone was removed since: it stays away, or it would be started anew. */
  restore(part: StorePart): Promise<Restored>
  /** The runs of which anything is stored, a row or events, behind `after` in the order of their fids; fewer than `limit` only at the end. Going on from a page's last fid takes time for that page alone. */
  storedRuns(after: string | null, limit: number): Promise<readonly StoredRunPlace[]>
  /** Folds these runs anew, each in one transaction; says in what each differed. */
  refold(runs: readonly StoredRunPlace[], how: Refold): Promise<readonly Refolded[]>
  /** Which version of the projector the stored projections were made by, and how far a newer one has come. */
  projection(): Promise<Projection>
  setProjection(projection: Projection): Promise<void>
  /** All rows of a table beside runs and conversations. */
  sideRows(table: SideTable): Promise<readonly SideRow[]>
  /** Stores such rows over those of the same key. */
  putSideRows(table: SideTable, rows: readonly SideRow[]): Promise<void>
}
