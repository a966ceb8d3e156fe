import type { Json } from '../json.ts'
import type { RunStatus } from '../status.ts'
import type { FlowWorker } from './flow.ts'

/** How the installation stands. A check is `ok` or a code; the consumer named '' stands for streams that nobody holds. */
export type Operations = {
  readonly version: string
  readonly checks: Readonly<Record<string, string>>
  /** Null where events go by memory, or when it cannot be told. */
  readonly consumers: readonly { readonly name: string; readonly streams: number; readonly lag: number; readonly oldest_pending_s: number | null }[] | null
  readonly workers: readonly (FlowWorker & { readonly flows: number })[]
  readonly runs: Readonly<Partial<Record<RunStatus, number>>>
  readonly dead_events: number
}

/** Since when events come late (unix seconds) and a code that says why; null when all is well. */
export type Delay = { readonly delayed_since: number | null; readonly because: string | null }

/** An entry of a stream that could not be stored; `body` is what was found, as text. */
export type DeadEvent = {
  readonly id: number
  readonly fid: string
  readonly position: string
  readonly reason: string
  readonly body: string
  readonly at: number
}

/**
 * Who did what, when and with what outcome. `actor`: the user, or the name that somebody tried to sign in by; `via`: how they were signed in, `none` at a sign-in. `status`: of the HTTP answer, below 400
 * it was done.
 */
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

/** What may be spent on models before runs are held: by each run, or on a day (UTC) by all together. Null: of every flow, by everybody; no limit of this kind. */
export type Budget = {
  readonly id: string
  readonly flow: string | null
  readonly user: string | null
  readonly per: 'run' | 'day'
  readonly cost: number | null
  readonly tokens: number | null
  /** The part at which runs are warned. */
  readonly warn_at: number
  /** Users who may let a run go on; operators always may. */
  readonly assignees: readonly string[]
  readonly changed_at: number
  readonly changed_by: string
}

/** What the content store holds for one purpose: how often content is named, what that comes to, and what is kept for it. */
export type KeptContent = { readonly count: number; readonly bytes: number; readonly stored_bytes: number }

/** What the content store holds for large results of steps, for large files of runs, and for checkpoints. */
export type ContentTotals = { readonly results: KeptContent; readonly files: KeptContent; readonly checkpoints: KeptContent }
