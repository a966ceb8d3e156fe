import type { IdentityStore, NewUser, SigningKeyStore, TicketStore, TokenStore, User } from './admin/port.ts'
import type { EventRecord, Json, LockState, NewRun, Position, RunState, RunStatus } from '@koco/core'
import type { CheckpointStore } from './checkpoints/port.ts'
import type { SessionStore } from './sessions/port.ts'
import type { StoreKeeper } from './keeping.ts'
import type { ModelSums, RunTally } from './tally.ts'

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

/** A run as lists show it: without the bodies of inputs, final and error. */
export type RunSummary = Omit<RunState, 'inputs' | 'final'>

/** A run in a list. `about`: its inputs in one short line, `city=Lisbon, days=3`. */
export type ListedRun = RunSummary & { readonly about: string }

/** What a list of runs is filtered by. `q` searches summary, flow, inputs, status and tags, all of its words. `cursor` is opaque, from the page before. Newest first. */
export type RunQuery = {
  readonly status?: readonly RunStatus[]
  readonly flow?: string
  readonly user?: string
  readonly tag?: string
  /** Only the runs that this run has started. */
  readonly parent?: string
  readonly q?: string
  readonly createdFrom?: number
  readonly createdTo?: number
  readonly archived?: boolean
  readonly cursor?: string
  readonly limit: number
}

/** How a run stands that another one has started. `finishedAt` is unix seconds. */
export type ChildSummary = { readonly fid: string; readonly status: RunStatus; readonly finishedAt: number | null }

/** One page of a list and the cursor of the next, null at the end. */
export type Page<T> = { readonly items: readonly T[]; readonly next: string | null }

/** What people want of a run that has not come to it yet; kept until it has. */
export type ControlRequest = { readonly wanted: 'run' | 'pause' | 'cancel'; readonly by: string; readonly reason: string | null; readonly at: number }

/** The runs: created and asked for by the launcher, folded by the writer, listed by the panel. */
export interface RunStore {
  /** Creates a run. With an idempotency key that this user used before, nothing is created and the run of the first call is given. */
  create(run: NewRun & { readonly launcher: string; readonly idempotencyKey: string | null }): Promise<{ readonly fid: string; readonly created: boolean }>
  get(fid: string): Promise<(RunState & { readonly launcher: string; readonly archived: boolean }) | undefined>
  /** Throws RefusedError `bad_cursor` for a cursor that is not of such a list. */
  list(query: RunQuery): Promise<Page<ListedRun>>
  /** An epoch for a new try: later than every epoch of the run and not before `nowMs`. */
  nextEpoch(fid: string, nowMs: number): Promise<number>
  /** The runs of a launcher that are not over, oldest first, with when they wake. */
  unfinished(launcher: string, after: string | null, limit: number): Promise<readonly RunSummary[]>
  /** The runs that a run has started, archived ones too, in the order of their fids. */
  children(parent: string, after: string | null, limit: number): Promise<readonly ChildSummary[]>
  /** Records what is wanted. `cancel` is final until the run is over; a retry clears it. */
  request(fid: string, control: ControlRequest): Promise<void>
  wanted(fid: string): Promise<ControlRequest | undefined>
  /** Hides a run from lists, or shows it again; false for an unknown run. */
  archive(fid: string, archived: boolean): Promise<boolean>
  /** How many runs there are of each status; with a parent: among the runs that it has started. */
  counts(among?: { readonly parent: string }): Promise<Readonly<Partial<Record<RunStatus, number>>>>
}

/** Somebody's answer to a lock, kept from the moment it is accepted until the run has journaled it. */
export type LockAnswer = { readonly lid: string; readonly answer: Json; readonly by: string; readonly at: number; readonly reason?: string }

/** The questions of runs to people. */
export interface LockStore {
  get(fid: string, lid: string): Promise<LockState | undefined>
  /** `user`: the locks of this user's runs. `concerns`: of this user's runs, and those that name the user or the role. */
  list(query: {
    readonly fid?: string
    readonly user?: string
    readonly concerns?: { readonly user: string; readonly role: Role }
    readonly status?: LockState['status']
    readonly cursor?: string
    readonly limit: number
  }): Promise<Page<LockState & { readonly flow: string; readonly user: string; readonly summary: string }>>
  /** Accepts the first answer to an open lock; every later one is told whose was first. Whether it fits the form is the caller's to check. */
  answer(
    fid: string,
    answer: LockAnswer,
  ): Promise<{ readonly outcome: 'accepted' } | { readonly outcome: 'answered'; readonly by: string } | { readonly outcome: 'expired' | 'closed' | 'unknown' }>
  /** The accepted answers of a run, journaled or not. */
  answers(fid: string): Promise<readonly LockAnswer[]>
}

/** An entry that could not be stored, set aside. `body` is what was found, as text. */
export type DeadEvent = {
  readonly id: number
  readonly fid: string
  readonly position: string
  readonly reason: string
  readonly body: string
  readonly at: number
}

/** The entries set aside; people look, retry and discard. */
export interface DeadEventStore {
  /** Idempotent by fid and position. */
  add(event: Omit<DeadEvent, 'id'>): Promise<void>
  list(query: { readonly fid?: string; readonly cursor?: string; readonly limit: number }): Promise<Page<DeadEvent>>
  get(id: number): Promise<DeadEvent | undefined>
  discard(id: number): Promise<boolean>
}

/** A flow as a worker serves it: what the catalogue shows without loading its code. `inputs` is a JSON Schema. */
export type FlowEntry = {
  readonly name: string
  readonly version: string | null
  readonly summary: string
  readonly description: string
  readonly tags: readonly string[]
  readonly author: string | null
  readonly inputs: Json
}

/** A process that serves flows; seen at its last heartbeat. */
export type FlowWorker = { readonly id: string; readonly launcher: string; readonly host: string; readonly pid: number; readonly seenAt: number }

/** A flow as the catalogue lists it, in the version that new runs begin on, with the workers that serve it in any version (live or not: compare `seenAt`). */
export type ListedFlow = FlowEntry & { readonly workers: readonly (FlowWorker & { readonly version: string | null })[] }

/** Which processes serve which flows. A flow stays listed after its last worker has gone: then it is cold. */
export interface FlowRegistry {
  /** Says that a worker lives and serves these flows; replaces what it said before. */
  heartbeat(worker: FlowWorker, flows: readonly FlowEntry[]): Promise<void>
  /** Takes a worker off the list at its orderly end. */
  leave(workerId: string): Promise<void>
  /** All flows ever served, by name. While several versions are served the one is current that was served for the first time last; a worker that beats changes nothing in that. */
  list(): Promise<readonly ListedFlow[]>
}

/** When a schedule starts runs: by a cron expression in a time zone (IANA), or every so many milliseconds, counted from its creation on. */
export type Timing = { readonly cron: string; readonly timeZone: string } | { readonly everyMs: number }

/**
 * Starts a flow again and again, as `user`. Times are unix seconds. `missed`: what becomes of starts that nobody was there to make: none, the last one, all of them (the last 100). `overlap`: whether
 * a start is made while the run before is not over.
 */
export type Schedule = {
  readonly id: string
  readonly flow: string
  readonly inputs: Json
  readonly user: string
  readonly launcher: string
  readonly timing: Timing
  readonly missed: 'skip' | 'once' | 'all'
  readonly overlap: 'skip' | 'allow'
  readonly createdAt: number
  readonly paused: boolean
  /** The next start that was not made; null: none will come. */
  readonly nextAt: number | null
  /** The last start that was made, the time that it was due at, and its run. */
  readonly lastAt: number | null
  readonly lastFid: string | null
  /** Why the last start was not made. */
  readonly problem: string | null
}

/** What changes when a start was made or passed over. */
export type ScheduleStep = Pick<Schedule, 'nextAt' | 'lastAt' | 'lastFid' | 'problem'>

/** The schedules. Who makes their starts is the launcher's affair. */
export interface ScheduleStore {
  /** RefusedError `schedule_exists`. */
  create(schedule: Schedule): Promise<void>
  get(id: string): Promise<Schedule | undefined>
  /** By id. */
  list(query: { readonly user?: string; readonly cursor?: string; readonly limit: number }): Promise<Page<Schedule>>
  /** Those of a launcher that are not paused and whose next start is at `at` or before it, the earliest first. */
  due(launcher: string, at: number, limit: number): Promise<readonly Schedule[]>
  /** Pauses a schedule, or lets it go on at `nextAt`; false for an unknown one. */
  pause(id: string, paused: boolean, nextAt: number | null): Promise<boolean>
  /** Takes a step; false when somebody else has taken it: the next start is no longer `from`. */
  advance(id: string, from: number | null, step: ScheduleStep): Promise<boolean>
  delete(id: string): Promise<boolean>
}

/** Which days (UTC, counted from 1970; `toDay` exclusive), and of which flow and user. */
export type InsightQuery = { readonly fromDay: number; readonly toDay: number; readonly flow?: string; readonly user?: string }

/** How many runs of a day, flow or user had this outcome; `bucket` as of RunTally. */
export type RunCount = Pick<RunTally, 'outcome' | 'bucket' | 'runs'> & { readonly key: string }

/** What a day, flow, user or model came to. `provider`: of a model. */
export type ModelUsage = ModelSums & { readonly key: string; readonly provider: string | null }

/** What runs and models came to by day, kept by the writer in the transaction of the events: no event is read for it, and none counts twice. */
export interface InsightStore {
  runs(query: InsightQuery, by: 'day' | 'flow' | 'user'): Promise<readonly RunCount[]>
  models(query: InsightQuery, by: 'day' | 'flow' | 'user' | 'model'): Promise<readonly ModelUsage[]>
}

/**
 * What may be spent on models before a run is held and people are asked whether it goes on: by each run, or on each day (UTC) by all its runs together. It holds for the runs of `flow` and
 * `user`; null: of all. `warnAt`: the part of it (0 to 1) at which runs are warned. `assignees`: who may answer besides operators.
 */
export type Budget = {
  readonly id: string
  readonly flow: string | null
  readonly user: string | null
  readonly per: 'run' | 'day'
  readonly costMax: number | null
  readonly tokensMax: number | null
  readonly warnAt: number
  readonly assignees: readonly string[]
  readonly changedAt: number
  readonly changedBy: string
}

/** The budgets; there are few, so they are read together. */
export interface BudgetStore {
  /** Makes a budget, or replaces the one of this id. */
  put(budget: Budget): Promise<void>
  /** All, by id. */
  list(): Promise<readonly Budget[]>
  delete(id: string): Promise<boolean>
}

/** The execution store: everything that belongs to runs. SQLite under a folder or Postgres; both give equal timelines. */
export interface ExecutionStore {
  readonly writer: EventWriter
  readonly reader: EventReader
  readonly runs: RunStore
  readonly locks: LockStore
  readonly dead: DeadEventStore
  readonly flows: FlowRegistry
  readonly schedules: ScheduleStore
  readonly sessions: SessionStore
  readonly keeper: StoreKeeper
  readonly insights: InsightStore
  readonly budgets: BudgetStore
  readonly checkpoints: CheckpointStore
  /** Proves by a write that the store takes writes; throws UnavailableError with the remedy. */
  check(): Promise<void>
  /** The server's clock in unix ms; absent when there is no server. */
  serverTime?(): Promise<number>
  /** Takes what only one process may have (the direct launcher): a function that gives it back, or undefined when another holds it. Ends with the process. */
  exclusive(name: string): Promise<(() => Promise<void>) | undefined>
  close(): Promise<void>
}

/** Roles, each with the rights of those before it. */
export type Role = 'viewer' | 'user' | 'operator'

/** A signed-in browser. Only the hash of its secret is stored. Times are unix seconds. */
export type Session = {
  readonly idHash: string
  readonly userId: string
  readonly createdAt: number
  readonly seenAt: number
  readonly expiresAt: number
  readonly agent: string
}

/** A program's key. Only the hash of its secret is stored; `prefix` is what people recognise it by. */
export type ApiKey = {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly prefix: string
  readonly hash: string
  readonly createdAt: number
  readonly usedAt: number | null
}

/** Who did what, when and with what outcome. `actor`: the user, or the name that somebody tried to sign in by; `via`: how they were signed in, `none` at a sign-in. `status`: of the HTTP answer. */
export type AuditEntry = {
  readonly id: string
  readonly at: number
  readonly actor: string
  readonly via: string
  readonly action: string
  readonly target: string
  readonly status: number
  readonly detail: Json
  readonly address: string
}

/** What a list of entries is filtered by; `action` may be the beginning of some: `run` stands for `run.start` and `run.cancel`. Times are unix seconds, `to` exclusive. Newest first. */
export type AuditQuery = {
  readonly actor?: string
  readonly action?: string
  readonly target?: string
  readonly from?: number
  readonly to?: number
  readonly cursor?: string
  readonly limit: number
}

/** The audit log: entries are added, and taken away by age; nothing changes one. */
export interface AuditStore {
  add(entries: readonly Omit<AuditEntry, 'id'>[]): Promise<void>
  list(query: AuditQuery): Promise<Page<AuditEntry>>
  /** Takes away what is older; says how many. */
  prune(before: number): Promise<number>
}

/** The admin store: who may sign in. SQLite file or Postgres. */
export interface AdminStore {
  readonly users: {
    /** RefusedError `user_exists` when name or address is taken. */
    create(user: NewUser): Promise<void>
    get(id: string): Promise<User | undefined>
    /** By name or address, case-insensitive. */
    find(login: string): Promise<User | undefined>
    list(): Promise<readonly User[]>
    update(id: string, change: Partial<Pick<User, 'email' | 'role' | 'active' | 'passwordHash'>>): Promise<boolean>
    /** They signed in; the time never goes back. */
    loggedIn(id: string, at: number): Promise<void>
  }
  readonly sessions: {
    create(session: Session): Promise<void>
    get(idHash: string): Promise<Session | undefined>
    touch(idHash: string, seenAt: number): Promise<void>
    delete(idHash: string): Promise<void>
    deleteOf(userId: string): Promise<void>
    list(userId: string): Promise<readonly Session[]>
  }
  readonly keys: {
    create(key: ApiKey): Promise<void>
    byHash(hash: string): Promise<ApiKey | undefined>
    touch(id: string, usedAt: number): Promise<void>
    list(userId: string | null): Promise<readonly ApiKey[]>
    delete(id: string, userId: string | null): Promise<boolean>
  }
  readonly identities: IdentityStore
  readonly tokens: TokenStore
  readonly signingKeys: SigningKeyStore
  readonly tickets: TicketStore
  readonly audit: AuditStore
  check(): Promise<void>
  close(): Promise<void>
}
