// Goal: budgets are kept as they were given, replaced by id and listed whole. Method: a few of them, written and read back.
import { expect, test } from 'vitest'
import type { Budget } from '../port/budgets.ts'
import type { ExecutionStore } from '../port/execution-store.ts'
import { START } from './scenario.ts'

/** The rules of BudgetStore. */
export function describeBudgets(store: () => ExecutionStore): void {
  test('a budget is kept, replaced by its id, and deleted', async () => {
    const { budgets } = store()
    const all: Budget = {
      id: 'all-day',
      flow: null,
      user: null,
      per: 'day',
      costMax: 12.5,
      tokensMax: null,
      warnAt: 0.8,
      assignees: ['ann'],
      changedAt: START,
      changedBy: 'ada',
    }
    const one: Budget = { ...all, id: 'a-run', flow: 'trip', user: 'bob', per: 'run', costMax: null, tokensMax: 9_000_000, assignees: [] }
    await budgets.put(all)
    await budgets.put(one)
    expect(await budgets.list()).toEqual([one, all])
    await budgets.put({ ...all, costMax: 20 })
    expect(await budgets.list()).toEqual([one, { ...all, costMax: 20 }])
    expect([await budgets.delete('a-run'), await budgets.delete('a-run')]).toEqual([true, false])
    expect((await budgets.list()).map(({ id }) => id)).toEqual(['all-day'])
    await budgets.delete('all-day')
  })
}
