import { parseJson, toJsonText } from '@koco/core'
import type { Budget, BudgetStore } from '../port/budgets.ts'
import type { ExecutionDatabase } from './schema.ts'

/** The budgets, each as one JSON text: they are few and always read together. */
export function createBudgetTable(db: ExecutionDatabase): BudgetStore {
  return {
    async put(budget) {
      const about = toJsonText(budget)
      await db
        .insertInto('budgets')
        .values({ id: budget.id, about })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ about }))
        .execute()
    },
    async list() {
      const rows = await db.selectFrom('budgets').select('about').orderBy('id').execute()
      return rows.map(({ about }) => parseJson(about) as unknown as Budget)
    },
    async delete(id) {
      const { numDeletedRows } = await db.deleteFrom('budgets').where('id', '=', id).executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}
