import type { Budgets, Catalog, Clock, Contents, FileStore, Launcher, TryLimits, Workspaces } from '@koco/flow'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { ChildStarts } from '../client/child-starts.ts'
import type { Log } from '../log.ts'
import type { RunNews } from './run-news.ts'

/** The activity that makes a try, as the board of workers names it. */
export type TryTask = { readonly workflowId: string; readonly runId: string; readonly activityId: string }

/** What the activities of a worker need. */
export type ActivityDeps = {
  readonly store: ExecutionStore
  readonly transport: Pick<Transport, 'streams' | 'signals'>
  readonly catalog: Catalog
  /** Tells workflows which children to start; what the launcher below starts goes through it. */
  readonly childStarts: ChildStarts
  /** By it a run reaches the runs that it starts. */
  readonly launcher: Pick<Launcher, 'start' | 'retry' | 'cancel'>
  /** Asks the server to cancel a workflow. */
  readonly cancelWorkflow: (workflowId: string, runId: string) => Promise<unknown>
  /** The base of the queues of tries. */
  readonly taskQueue: string
  readonly news: RunNews
  /** Is told which tries this worker is at. */
  readonly liveness: { take(task: TryTask): void; drop(task: TryTask): void }
  readonly clock: Clock
  readonly budgets: Budgets
  /** Where the files of runs are; without it they have none. */
  readonly files: FileStore | undefined
  /** Where programs run; without it they do not. */
  readonly workspaces: Workspaces | undefined
  /** Where large results of steps lie; without it they stay in their events. */
  readonly contents: Contents | undefined
  /** The worker's name: host and process. */
  readonly owner: string
  readonly limits: TryLimits
  readonly log: Log
  /** Aborted when the worker stops: tries let go of their runs at the next step border. */
  readonly stop: AbortSignal
  /** Aborted when its grace is over: they let go at once. */
  readonly stopNow: AbortSignal
}
