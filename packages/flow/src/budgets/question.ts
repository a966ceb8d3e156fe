import type { Json } from '@koco/core'
import type { Budget } from '@koco/storage'
import type { Spent } from './stored-budgets.ts'

/** What people may decide about a run that has used up a budget. */
export type BudgetDecision = 'go_on' | 'check_again' | 'stop'

/** The start of the ids of the questions that budgets ask; no lock of a flow can have such an id. */
export const BUDGET_LID = 'budget.'

/** The form of the answer. */
export const BUDGET_FORM: Json = {
  type: 'object',
  properties: {
    decision: {
      title: 'Go on?',
      oneOf: [
        { const: 'go_on', title: 'Go on: as much may be spent again' },
        { const: 'check_again', title: 'Look again: the budget was changed' },
        { const: 'stop', title: 'Stop the run: it is cancelled' },
      ],
      type: 'string',
    },
  },
  required: ['decision'],
  additionalProperties: false,
}

/** A budget that holds a run: what was spent and what is allowed by now; `day` as text, for budgets of days. */
export type Overrun = { readonly budget: Budget; readonly spent: Spent; readonly allowed: Allowed; readonly day: string | null }

/** What may be spent; null: as much as anybody likes. */
export type Allowed = { readonly cost: number | null; readonly tokens: number | null }

/** What the people who are asked see. */
export function budgetData({ budget, spent, allowed, day }: Overrun): Json {
  const rows = [
    ...(allowed.cost === null ? [] : [`| Cost | ${amount(spent.cost)} | ${amount(allowed.cost)} |`]),
    ...(allowed.tokens === null ? [] : [`| Tokens | ${amount(spent.tokens)} | ${amount(allowed.tokens)} |`]),
  ]
  const value = `${spender(budget, day)} used up what the budget allows. The run is held at its next step; nothing is lost while it waits.\n\n| | spent | allowed |\n|---|--:|--:|\n${rows.join('\n')}`
  return { type: 'markdown', value, budget: budget.id }
}

/** What a run is told when the end of a budget is near. The same in each try, so that it is said once. */
export function budgetWarning(budget: Budget, allowed: Allowed, day: string | null): string {
  const parts = [
    ...(allowed.cost === null ? [] : [`a cost of ${amount(allowed.cost)}`]),
    ...(allowed.tokens === null ? [] : [`${amount(allowed.tokens)} tokens`]),
  ]
  return `${spender(budget, day)} used ${Math.round(budget.warnAt * 100)} % or more of its budget "${budget.id}" (${parts.join(', ')}). When it is used up, the run is held until somebody says that it may go on.`
}

function spender({ flow, user, per }: Budget, day: string | null): string {
  if (per === 'run') return 'This run has'
  return `On ${day ?? ''} (UTC) ${flow === null ? 'all runs' : `the runs of flow "${flow}"`}${user === null ? '' : ` of ${user}`} have`
}

function amount(value: number): string {
  return new Intl.NumberFormat('en', { maximumFractionDigits: 4 }).format(value)
}
