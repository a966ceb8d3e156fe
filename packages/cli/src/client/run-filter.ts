import type { RunStatus } from '@koco/core'

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
