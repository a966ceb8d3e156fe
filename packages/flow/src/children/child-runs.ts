import type { EndedStatus, ErrorValue, Json, TypedValue } from '@koco/core'
import type { Flow } from '../flow.ts'

/** A child run to start. `definition` is there when the flow was given by it. */
export type ChildStart = { readonly fid: string; readonly flow: string; readonly inputs: Json; readonly definition: Flow | undefined }

/** How a child run ended; `at` is unix seconds. */
export type ChildEnd = { readonly fid: string; readonly at: number } & (
  | { readonly status: 'finished'; readonly result: TypedValue }
  | { readonly status: Exclude<EndedStatus, 'finished'>; readonly error: ErrorValue }
)

/** What a try can do with the runs that its run starts. One adapter a launcher; `storedChildren` is most of each. */
export interface ChildRuns {
  /** Starts a child. It cannot be lost any more when this resolves; the same fid starts nothing twice. UnavailableError: try again later. RefusedError as of `Launcher.start`, and `too_deep`. */
  start(child: ChildStart): Promise<void>
  /** The ends of those that are over. */
  ended(fids: readonly string[]): Promise<readonly ChildEnd[]>
  /** Calls `listener` when a run has ended, any run; a hint, may be lost. The result ends it. */
  onEnded(listener: (fid: string) => void): () => void
  /** Starts a child again that ended before the parent was retried. */
  retry(fid: string): Promise<void>
  /** Cancels the live children, and they theirs. All have been asked when this resolves. */
  stop(by: string, reason: string | null): Promise<void>
}
