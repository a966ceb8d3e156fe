import type { NewRun, RunState, RunStatus } from '@koco/core'
import type { Page } from './page.ts'

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
