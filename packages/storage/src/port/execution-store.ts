import type { BudgetStore } from './budgets.ts'
import type { CheckpointStore } from './checkpoints.ts'
import type { ContentIndex } from './contents.ts'
import type { DeadEventStore } from './dead-events.ts'
import type { EventReader, EventWriter } from './events.ts'
import type { FlowRegistry } from './flows.ts'
import type { InsightStore } from './insights.ts'
import type { StoreKeeper } from './keeper.ts'
import type { LockStore } from './locks.ts'
import type { RunStore } from './runs.ts'
import type { ScheduleStore } from './schedules.ts'
import type { SessionStore } from './sessions.ts'
import type { WebhookStore } from './webhooks.ts'

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
  readonly contents: ContentIndex
  readonly webhooks: WebhookStore
  /** Proves by a write that the store takes writes; throws UnavailableError with the remedy. */
  check(): Promise<void>
  /** The server's clock in unix ms; absent when there is no server. */
  serverTime?(): Promise<number>
  /** Takes what only one process may have (the direct launcher): a function that gives it back, or undefined when another holds it. Ends with the process. */
  exclusive(name: string): Promise<(() => Promise<void>) | undefined>
  close(): Promise<void>
}
