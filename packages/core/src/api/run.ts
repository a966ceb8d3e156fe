import type { ErrorValue, TypedValue } from '../event.ts'
import type { Json } from '../json.ts'
import type { Usage } from '../run.ts'
import type { RunStatus } from '../status.ts'
import type { Lock } from './lock.ts'

/** One execution of a flow, as lists show it. Times are unix seconds, durations seconds; null: not known yet. */
export type Run = {
  readonly fid: string
  readonly flow: string
  readonly version: string | null
  readonly status: RunStatus
  readonly user: string
  readonly summary: string
  /** Its inputs in one short line, by which runs of a flow are told apart: `city=Lisbon, days=3`. May be empty. */
  readonly about: string
  readonly tags: readonly string[]
  /** The run that started this one. */
  readonly parent: string | null
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
  /** When a waiting run goes on by itself. */
  readonly wake_at: number | null
  /** While it rests, until `wake_at`, because its tries end with the death of their process: how many did so one after the other. Else 0. */
  readonly deaths: number
  readonly runtime_s: number | null
  readonly attempt: number
  readonly events: number
  /** The cursor of its last event; `0-0` before the first. */
  readonly last_position: string
  /** How many questions to people are open. */
  readonly open_locks: number
  /** Its questions to people; null in lists. */
  readonly locks: readonly Lock[] | null
  /** The result; null in lists. */
  readonly final: TypedValue | null
  /** Why it failed. */
  readonly error: ErrorValue | null
  /** Tokens and cost of its model calls. */
  readonly usage: Usage | null
  readonly progress: { readonly done: number; readonly total: number | null; readonly text?: string } | null
}

/** A run with what only its own page needs. */
export type RunDetail = Omit<Run, 'locks'> & {
  readonly locks: readonly Lock[]
  readonly inputs: Json
  readonly archived: boolean
  /** Who drives it: `direct`, `temporal`, or `import` for one that was read from a file and takes no requests but to be archived. */
  readonly launcher: string
  /** Its workflow in Temporal's own page, where the installation knows one. */
  readonly temporal_url: string | null
  /** How many runs it has started. */
  readonly children: number
  /** What people asked of it and it has not come to yet. */
  readonly wanted: 'pause' | 'cancel' | null
}

/** What became of a request to many runs for one of them; `code` and `detail` of the problem that the single request would have had. */
export type BulkOutcome = { readonly fid: string; readonly outcome: 'accepted' | 'refused'; readonly code: string | null; readonly detail: string | null }

/** A run that was read from a file: the id that it has here, and how many events it has. */
export type ImportedRun = { readonly fid: string; readonly events: number }
