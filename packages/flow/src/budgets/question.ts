import type { Json } from '@koco/core'
import type { Budget } from '@koco/storage'
import type { Spent } from './stored-budgets.ts'

/** What people may decide about a run that has used up a budget, in their words: the form offers them as they are. */
export type BudgetDecision = 'go on' | 'look again' | 'stop'

/** The start of the ids of the questions that budgets ask; no lock of a flow can have such an id. */
export const BUDGET_LID = 'budget.'

const CHOICES = '“Go on” allows as much again, “look again” is for a budget that was changed, “stop” cancels the run.'

/** The form of the answer. */
export const BUDGET_FORM: Json = {
  type: 'object',
  properties: {
    decision: {
      title: 'What next?',
      description: CHOICES,
      type: 'string',
      enum: ['go on', 'look again', 'stop'] satisfies BudgetDecision[],
    },
  },
  required: ['decision'],
  additionalProperties: false,
}

/** A budget that holds a run: what was spent and what is allowed by now; `day` as text, for budgets of days. */
export type Overrun = { readonly budget: Budget; readonly spent: Spent; readonly allowed: Allowed; readonly day: string | null }

/** What may be spent; null: as much as anybody likes. */
export type Allowed = { readonly cost: number | null; readonly tokens: number | null }

/** What the people who are asked see: plain sentences, which are shown at once everywhere. */
export function budgetData({ budget, spent, allowed, day }: Overrun): Json {
  const parts = [
    ...(allowed.cost === null ? [] : [`a cost of ${amount(spent.cost)} of the ${amount(allowed.cost)} that the budget allows`]),
    ...(allowed.tokens === null ? [] : [`${amount(spent.tokens)} tokens of ${amount(allowed.tokens)}`]),
  ]
  const value = `${spender(budget, day)} come to ${parts.join(', and to ')}. The run is held at its next step; nothing is lost while it waits. ${CHOICES}`
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
