/**
 * What may be spent on models before a run is held and people are asked whether it goes on: by each run, or on each day (UTC) by all its runs together. It holds for the runs of `flow` and
 * `user`; null: of all. `warnAt`: the part of it (0 to 1) at which runs are warned. `assignees`: who may answer besides operators.
 */
export type Budget = {
  readonly id: string
  readonly flow: string | null
  readonly user: string | null
  readonly per: 'run' | 'day'
  readonly costMax: number | null
  readonly tokensMax: number | null
  readonly warnAt: number
  readonly assignees: readonly string[]
  readonly changedAt: number
  readonly changedBy: string
}

/** The budgets; there are few, so they are read together. */
export interface BudgetStore {
  /** Makes a budget, or replaces the one of this id. */
  put(budget: Budget): Promise<void>
  /** All, by id. */
  list(): Promise<readonly Budget[]>
  delete(id: string): Promise<boolean>
}
