import type { EventRecord, LockState, Position, RunState } from '@koco/core'
import type { ControlRequest, LockAnswer, Page } from './port.ts'
import type { EpochSeal, Hole } from './projection.ts'
import type { EntryRow } from './sessions/entry.ts'
import type { ChatSession } from './sessions/port.ts'
import type { SideRow, SideTable } from './side-tables.ts'

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

/** A run that is over and that nobody needs any more but to look at it. `bytes`: about what its events take. Times are unix seconds. */
export type EndedRun = {
  readonly fid: string
  readonly flow: string
  readonly user: string
  readonly createdAt: number
  readonly endedAt: number
  readonly events: number
  readonly bytes: number
}

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
  addRecords(copy: RunCopy, records: readonly EventRecord[]): Promise<void>
  /** Stores runs as they were copied, over what is known of them. */
  put(copies: readonly RunCopy[]): Promise<void>
  /** Conversations behind `after` in the order of their ids, each read in one piece. */
  sessionCopies(after: string | null, limit: number): Promise<readonly SessionCopy[]>
  /** Stores conversations as they were copied, over what is known of them. */
  putSessions(copies: readonly SessionCopy[]): Promise<void>
  /** All rows of a table beside runs and conversations. */
  sideRows(table: SideTable): Promise<readonly SideRow[]>
  /** Stores such rows over those of the same key. */
  putSideRows(table: SideTable, rows: readonly SideRow[]): Promise<void>
}
