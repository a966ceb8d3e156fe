import type { Json, LockStatus, RunStatus, TypedValue, Usage } from '@koco/core'

/** A run as the API shows it. Times are unix seconds; null stands for not known yet. */
export type Run = {
  readonly fid: string
  readonly flow: string
  readonly version: string | null
  readonly status: RunStatus
  readonly user: string
  readonly summary: string
  /** Its inputs in one short line: `city=Lisbon, days=3`. */
  readonly about: string
  readonly tags: readonly string[]
  readonly parent: string | null
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly wake_at: number | null
  readonly runtime_s: number | null
  readonly attempt: number
  readonly events: number
  readonly last_position: string
  readonly open_locks: number
  /** The result; null in lists. */
  readonly final: TypedValue | null
  readonly error: { readonly name: string; readonly message: string } | null
  readonly usage: Usage | null
  readonly progress: { readonly done: number; readonly total: number | null; readonly text?: string } | null
}

/** A run with its inputs and its questions. */
export type RunDetail = Run & { readonly inputs: Json; readonly archived: boolean; readonly locks: readonly Lock[]; readonly wanted: 'pause' | 'cancel' | null }

/** A question of a run to people; `form` is the JSON Schema of the answer. */
export type Lock = {
  readonly fid: string
  readonly lid: string
  readonly name: string
  readonly status: LockStatus
  readonly form: Json
  readonly data: Json
  readonly asked_at: number
  readonly expires_at: number | null
  readonly answer: Json
  readonly answered_by: string | null
  readonly answered_at: number | null
  /** Why it was answered so. */
  readonly reason: string | null
  /** Who may answer besides operators; without either the owner of the run. */
  readonly assignees: readonly string[]
  readonly roles: readonly string[]
  /** Whether the caller may answer it now. */
  readonly may_answer: boolean
  readonly flow: string
  readonly user: string
  readonly summary: string
}

/** One event of a run. `position` is its cursor; kinds of later versions are passed through. */
export type RunEvent = {
  readonly position: string
  readonly fid: string
  readonly epoch: number
  readonly seq: number
  readonly ts: number
  readonly kind: string
  readonly step: string | null
  readonly data: Json
}

/** A page of a list; `next` is the `after` of the next one, null at the end. */
export type Page<T> = { readonly items: readonly T[]; readonly next: string | null }

/** What runs are chosen by. */
export type RunFilter = {
  readonly status?: readonly RunStatus[]
  readonly flow?: string
  readonly user?: string
  readonly tag?: string
  readonly parent?: string
  readonly q?: string
  readonly created_from?: number
  readonly created_to?: number
  readonly archived?: boolean
  readonly after?: string
  readonly limit?: number
}
