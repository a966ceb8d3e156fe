import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { Catalog } from '../catalog.ts'
import type { Clock } from '../clock.ts'
import type { Contents } from '../contents/port.ts'
import type { TryLimits } from '../executor/try.ts'
import type { FileStore } from '../files/port.ts'
import type { Workspaces } from '../workspace/workspaces.ts'

/** What the direct launcher needs. */
export type DirectLauncherOptions = {
  readonly catalog: Catalog
  readonly store: ExecutionStore
  readonly transport: Pick<Transport, 'streams' | 'signals'>
  /** Default: the machine's. */
  readonly clock?: Clock
  /** Bytes of chance for run ids; default: the system's. */
  readonly randomBytes?: (count: number) => Uint8Array
  /** Who executes, in `attempt` events; default host and process id. */
  readonly owner?: string
  /** Tries at the same time; default 256. More wait in order. */
  readonly concurrency?: number
  /** Runs that wait for a free place; beyond it `start` is refused for now. Default 10,000. */
  readonly queueMax?: number
  /** Changes of the usual limits of tries. */
  readonly limits?: Partial<TryLimits>
  /** First and longest delay of a try after a failure of stream or store, in ms; default 500 and 30,000. */
  readonly backOffMs?: { readonly first: number; readonly most: number }
  /** How often runs that nobody looks after are searched for, in ms; default 30,000. */
  readonly sweepMs?: number
  /** Where the files of runs are; default nowhere. */
  readonly files?: FileStore | undefined
  /** Where large results of steps lie; default in their events. */
  readonly contents?: Contents | undefined
  /** Where programs run; default nowhere. */
  readonly workspaces?: Workspaces | undefined
  /** Lines for the operator; default none. */
  readonly log?: (level: 'info' | 'warn' | 'error', message: string, details?: unknown) => void
}

/** The options with their defaults in place. */
export type DirectSettings = Required<Omit<DirectLauncherOptions, 'limits' | 'files' | 'contents' | 'workspaces'>> & {
  readonly limits: TryLimits
  readonly files?: FileStore | undefined
  readonly contents?: Contents | undefined
  readonly workspaces?: Workspaces | undefined
}
