import type { Escalation } from '../event.ts'
import type { Json } from '../json.ts'
import type { LockStatus } from '../lock.ts'

/** A question of a run to people, and its answer. Times are unix seconds. */
export type Lock = {
  readonly fid: string
  readonly lid: string
  readonly name: string
  /** `closed`: the run ended before anybody answered. */
  readonly status: LockStatus
  /** The JSON Schema of the answer. */
  readonly form: Json
  /** What the person needs to decide. */
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
  /** Who may answer from `at` on while nobody does: `escalated` of these steps have been taken, and are in `assignees` and `roles`. */
  readonly escalations: readonly Escalation[]
  readonly escalated: number
  /** Whether the caller may answer it now. */
  readonly may_answer: boolean
  /** Put to the caller: by name, by role, or as the owner of the run. */
  readonly for_me: boolean
  readonly flow: string
  readonly user: string
  readonly summary: string
}
