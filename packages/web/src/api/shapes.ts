import type { ErrorValue, Json, RunStatus, TypedValue, Usage } from '@koco/core'

/** The shapes of the HTTP API as the page reads them (design section 8). Times are unix seconds, durations seconds; null: not known yet. */
export type ListPage<T> = { readonly items: readonly T[]; readonly next: string | null }

/** Who is signed in. `auth` is `off` when the panel listens on loopback without sign-in: everybody is the operator then. */
export type Me = {
  readonly user: { readonly name: string; readonly email: string; readonly role: 'viewer' | 'user' | 'operator' }
  readonly auth: 'on' | 'off'
  readonly version: string
}

/** Providers of sign-in; `start` begins it in the browser. */
export type Providers = { readonly providers: readonly { readonly id: string; readonly name: string; readonly start: string }[] }

/** A process that serves a flow. */
export type FlowWorker = { readonly id: string; readonly host: string; readonly pid: number; readonly seen_at: number; readonly live: boolean }

/** A flow of the catalogue. `live`: somebody serves it now. `version`: the one that new runs begin on; workers may serve others, for runs that began on them. */
export type Flow = {
  readonly name: string
  readonly version: string | null
  readonly summary: string
  readonly description: string
  readonly tags: readonly string[]
  readonly author: string | null
  readonly live: boolean
  readonly workers: readonly (FlowWorker & { readonly version: string | null })[]
}

/** A flow with the JSON Schema of its inputs. */
export type FlowDetail = Flow & { readonly inputs: Json }

/** A run as lists show it; `open_locks` counts its open questions. */
export type RunRow = {
  readonly fid: string
  readonly flow: string
  readonly version: string | null
  readonly status: RunStatus
  readonly user: string
  readonly summary: string
  /** Its inputs in one short line, by which runs of a flow are told apart; may be empty. */
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
  readonly final: TypedValue | null
  readonly error: ErrorValue | null
  readonly usage: Usage | null
  readonly progress: { readonly done: number; readonly total: number | null; readonly text?: string } | null
  /** When the page got this, in its own unix seconds: a ticking runtime counts from here. Not of the API. */
  readonly read_at: number
}

/** A run as its own page shows it, with its questions. `wanted`: what people asked of it and it has not come to yet. */
export type Run = RunRow & {
  readonly locks: readonly Lock[]
  readonly inputs: Json
  readonly archived: boolean
  /** Who drives it: `direct`, `temporal`, or `import` for one that was read from a file. */
  readonly launcher: string
  /** How many runs it has started. */
  readonly children: number
  /** Its workflow in Temporal's own page, where there is one. */
  readonly temporal_url: string | null
  readonly wanted: 'pause' | 'cancel' | null
}

/** A question of a run to people; `form` is the JSON Schema of the answer. */
export type Lock = {
  readonly fid: string
  readonly lid: string
  readonly name: string
  readonly form: Json
  readonly data: Json
  readonly asked_at: number
  readonly expires_at: number | null
  readonly status: 'open' | 'answered' | 'expired' | 'closed'
  readonly answer: Json
  readonly answered_by: string | null
  readonly answered_at: number | null
  /** Why it was answered so. */
  readonly reason: string | null
  /** Who may answer besides operators; without either the owner of the run. */
  readonly assignees: readonly string[]
  readonly roles: readonly string[]
  readonly may_answer: boolean
  /** Put to the person who asks: by name, by role, or as the owner of the run. */
  readonly for_me: boolean
  readonly flow: string
  readonly user: string
  readonly summary: string
}

/** An event of a run. `data` depends on `kind`; kinds of later versions are passed through. */
export type WireEvent = {
  readonly position: string
  readonly fid: string
  readonly epoch: number
  readonly seq: number
  readonly ts: number
  readonly kind: string
  readonly step: string | null
  readonly data: Json
}
