import { parseJson } from '@koco/core'
import type { Budget } from '../port/budgets.ts'
import type { Db } from './connection.ts'

/** The reads of budgets. */
export function budgetQueries(db: Db) {
  const list = db.prepare<[], string>('SELECT about FROM budgets ORDER BY id').pluck()
  return { listBudgets: (): Budget[] => list.all().map((about) => parseJson(about) as unknown as Budget) }
}

/** The writes of budgets. */
export function budgetChanges(db: Db) {
  const put = db.prepare('INSERT INTO budgets (id, about) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET about = excluded.about')
  const drop = db.prepare('DELETE FROM budgets WHERE id = ?')
  return {
    putBudget(budget: Budget): void {
      put.run(budget.id, JSON.stringify(budget))
    },
    deleteBudget: (id: string): boolean => drop.run(id).changes > 0,
  }
}
