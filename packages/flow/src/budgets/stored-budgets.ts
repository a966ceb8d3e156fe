import type { TokenCounts } from '@koco/core'
import type { Budget, ExecutionStore } from '@koco/storage'
import type { Clock } from '../clock.ts'

/** What was spent on models. */
export type Spent = { readonly cost: number; readonly tokens: number }

/** The budgets of an installation as the tries of one process see them. Throws UnavailableError while the store is away. */
export interface Budgets {
  /** Those that hold for the runs of a flow and user, up to 5 seconds old; no promise when they are known. */
  of(run: { readonly flow: string; readonly user: string }): readonly Budget[] | Promise<readonly Budget[]>
  /** Forgets what it knows of the list: it was changed. */
  refresh(): void
  /** What all runs under a budget have spent on a day, up to a second old, as far as the store has it. */
  spentOn(day: number, budget: Budget): Promise<Spent>
  /** What one run has spent, as far as the store has it. */
  spentBy(fid: string): Promise<Spent>
}

const LIST_MS = 5000
const SPENT_MS = 1000
const REMEMBERED_MAX = 1000

/** The sum of the classes. */
export function tokensOf({ input_uncached, cache_read, cache_write, output, reasoning }: TokenCounts): number {
  return input_uncached + cache_read + cache_write + output + reasoning
}

/** Budgets out of the store: however many runs a process has, it asks for the list every 5 seconds and for the spending of a day once a second. */
export function storedBudgets(store: Pick<ExecutionStore, 'budgets' | 'insights' | 'runs'>, clock: Clock): Budgets {
  let list: { readonly at: number; readonly budgets: readonly Budget[] } | undefined
  let reading: Promise<readonly Budget[]> | undefined
  let version = 0
  const days = new Map<string, { readonly at: number; readonly spent: Promise<Spent> }>()
  const read = async (): Promise<readonly Budget[]> => {
    const [at, mine] = [clock.now(), version]
    try {
      const budgets = await store.budgets.list()
      if (version === mine) list = { at, budgets }
      return budgets
    } finally {
      if (version === mine) reading = undefined
    }
  }
  return {
    of(run) {
      const mine = (budgets: readonly Budget[]) => budgets.filter((budget) => holdsFor(budget, run))
      if (list && isYoung(list, clock, LIST_MS)) return mine(list.budgets)
      return (reading ??= read()).then(mine)
    },
    refresh() {
      // A read that is under way may have begun before the change.
      version += 1
      list = undefined
      reading = undefined
    },
    spentOn(day, budget) {
      const key = JSON.stringify([day, budget.flow, budget.user])
      const known = days.get(key)
      if (known && isYoung(known, clock, SPENT_MS)) return known.spent
      const spent = sumOfDay(store, day, budget)
      days.set(key, { at: clock.now(), spent })
      // What failed is not remembered.
      spent.catch(() => days.delete(key))
      const oldest = days.keys().next()
      if (days.size > REMEMBERED_MAX && !oldest.done) days.delete(oldest.value)
      return spent
    },
    async spentBy(fid) {
      const usage = (await store.runs.get(fid))?.usage
      return usage ? { cost: usage.cost ?? 0, tokens: tokensOf(usage) } : { cost: 0, tokens: 0 }
    },
  }
}

function holdsFor(budget: Budget, { flow, user }: { readonly flow: string; readonly user: string }): boolean {
  return (budget.flow === null || budget.flow === flow) && (budget.user === null || budget.user === user)
}

function isYoung({ at }: { readonly at: number }, clock: Clock, ms: number): boolean {
  const age = clock.now() - at
  return age >= 0 && age < ms
}

async function sumOfDay({ insights }: Pick<ExecutionStore, 'insights'>, day: number, { flow, user }: Budget): Promise<Spent> {
  const query = { fromDay: day, toDay: day + 1, ...(flow !== null && { flow }), ...(user !== null && { user }) }
  const [sums] = await insights.models(query, 'day')
  return sums ? { cost: sums.cost, tokens: tokensOf(sums) } : { cost: 0, tokens: 0 }
}
