import type { Clock, Launcher } from '@koco/flow'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { RunNews } from '../activities/run-news.ts'
import type { TemporalServer } from '../client/server.ts'
import type { Log } from '../log.ts'
import type { Verdict } from './true-end.ts'

/** What a round needs. It opens none of it, and closes none. */
export type ReconcileDeps = {
  readonly server: TemporalServer
  readonly store: ExecutionStore
  readonly transport: Pick<Transport, 'streams' | 'signals'>
  readonly launcher: Pick<Launcher, 'cancel'>
  readonly news: RunNews
  readonly clock: Clock
  readonly log: Log
}

/** How a round goes about it. */
export type RoundOptions = {
  /** A run that Temporal does not know may be so young before it counts as never started, in ms. */
  readonly youngMs: number
  /**
   * Nobody looks on: when Temporal knows no run at all it is more likely the wrong one (or the wrong namespace) than all runs lost, and they are let be; likewise open workflows when the store has no run at
   * all.
   */
  readonly careful: boolean
  /** The workflows without a run that were woken before; those of this round come in. */
  readonly woken: Set<string>
  readonly signal: AbortSignal
}

/** A run of which store, streams and Temporal did not agree, and what was done. `left`: nothing yet. */
export type Reconciled = {
  readonly fid: string
  readonly flow: string
  readonly found: Exclude<Verdict['found'], 'live' | 'young'> | 'open_after_end' | 'unknown_run'
  readonly did: 'ended' | 'told' | 'left'
  readonly note: string
}
