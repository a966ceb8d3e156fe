import type { AttemptReason, ErrorValue, Json, Position, RunStatus, TypedValue } from '@koco/core'
import type { ControlRequest, EventReader, LockAnswer, SessionStore } from '@koco/storage'
import type { Producer, Signal } from '@koco/transport'
import type { Budgets } from '../budgets/stored-budgets.ts'
import type { ChildRuns } from '../children/child-runs.ts'
import type { Clock } from '../clock.ts'
import type { Contents } from '../contents/port.ts'
import type { FileStore } from '../files/port.ts'
import type { Flow } from '../flow.ts'
import type { Workspaces } from '../workspace/workspaces.ts'

/** How one try of a run ended. */
export type TryOutcome =
  | { readonly outcome: 'finished'; readonly final: TypedValue }
  | { readonly outcome: 'failed'; readonly error: ErrorValue }
  | { readonly outcome: 'cancelled' | 'timed_out' }
  /** The run waits: for its locks, until `wakeAt` (unix seconds; null: not by itself), until all runs of one of the groups in `children` have ended; or it is paused. */
  | {
      readonly outcome: 'suspended'
      readonly status: 'awaiting' | 'paused'
      readonly wakeAt: number | null
      readonly locks: readonly string[]
      readonly children?: readonly (readonly string[])[]
    }
  /** The run was over already; the try did nothing. */
  | { readonly outcome: 'ended'; readonly status: RunStatus }
  /** A later epoch has written: nothing more was done. `begun` false: before anything of this try was accepted, so a later epoch may try again. */
  | { readonly outcome: 'fenced'; readonly begun: boolean }
  /** Events between the positions cannot be stored by anybody: the next try declares them. */
  | { readonly outcome: 'lost'; readonly from: string; readonly to: string }
  /** The process let go of the run (`stop`); another try continues it. */
  | { readonly outcome: 'released' }

/** The run that is tried. Times are unix seconds. */
export type TryRun = { readonly fid: string; readonly user: string; readonly inputs: Json; readonly parent: string | null }

/** What people ask of a run, as a try sees it. */
export interface RunRequests {
  wanted(): Promise<ControlRequest | undefined>
  /** The accepted answers, journaled or not. */
  answers(): Promise<readonly LockAnswer[]>
  /** Calls `listener` within a second after something changed; the result ends it. */
  onChange(listener: () => void): () => void
}

/** Limits and delays of a try; `defaultLimits` gives the usual ones. Milliseconds where the name says so. */
export type TryLimits = {
  /** How long nothing but waits must be left before the try is suspended (at most twice as long); also the shortest wait worth a suspension. */
  readonly idleMs: number
  /** How long a cancelled function may take to unwind. */
  readonly graceMs: number
  /** How long a new try waits for the store to have the events of the tries before. */
  readonly storedMs: number
  /** Steps at work at the same time; more wait for a free place. */
  readonly stepsAtOnce: number
  /** Bytes of journaled step results that a try holds. */
  readonly journalBytes: number
  /** Events that one try may emit. */
  readonly events: number
  /** Tries that ended with the death of their process, one after the other without a finished step in between. */
  readonly recoveries: number
  /** Runs that one run may start. */
  readonly children: number
  /** Milliseconds until a lock without a timeout of its own expires. */
  readonly lockMs: number
}

/** The usual limits. */
export const defaultLimits: TryLimits = {
  idleMs: 800,
  graceMs: 5000,
  storedMs: 600_000,
  stepsAtOnce: 256,
  journalBytes: 256 * 1024 * 1024,
  events: 1_000_000,
  recoveries: 100,
  children: 10_000,
  lockMs: 10_800_000,
}

/** Everything that one try of one run needs. The try closes the producer. */
export type TryDeps = {
  readonly flow: Flow
  readonly run: TryRun
  /** The one writer of this try's epoch; nothing emitted yet. */
  readonly producer: Producer
  readonly reader: EventReader
  readonly requests: RunRequests
  readonly children: ChildRuns
  readonly attempt: number
  readonly reason: Exclude<AttemptReason, 'finalise'>
  /** Who executes: host, process, try. */
  readonly owner: string
  /** A hole that the try before left. */
  readonly lost?: { readonly from: string; readonly to: string }
  /** Aborted when this process must let go of the run, at the next step border. */
  readonly stop: AbortSignal
  /** Aborted when it must let go at once: steps at work are done again by the next try. */
  readonly stopNow: AbortSignal
  /** Called once the try is on record: its first events are acknowledged. */
  readonly onBegun?: () => void
  readonly clock: Clock
  /** 0 to below 1. */
  readonly random: () => number
  readonly uuid: () => string
  /** Calls `listener` when the store has committed more of this run; a hint, may be lost. */
  readonly onCommitted: (listener: (position: Position) => void) => () => void
  readonly publish: (signals: readonly Signal[]) => Promise<void>
  /** A line for the operator: errors of flows with their stacks. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string, details?: unknown) => void
  readonly limits: TryLimits
  /** What may be spent on models; without it only the flow's own budget holds. */
  readonly budgets?: Budgets | undefined
  /** Where the run's files are; without it `ctx.files` refuses. */
  readonly files?: FileStore | undefined
  /** Where large results of steps lie; without it they stay in their events, up to what an event may hold. */
  readonly contents?: Contents | undefined
  /** Where conversations are; without it `ctx.sessions` refuses. */
  readonly sessions?: Pick<SessionStore, 'read'> | undefined
  /** Where programs run; without it `ctx.process` refuses. */
  readonly workspaces?: Workspaces | undefined
}
