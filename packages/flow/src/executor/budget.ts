import { UnavailableError, type EventData, type Json } from '@koco/core'
import { dayOf, type Budget } from '@koco/storage'
import { BUDGET_FORM, BUDGET_LID, budgetData, budgetWarning, type Allowed, type Overrun } from '../budgets/question.ts'
import { tokensOf, type Spent } from '../budgets/stored-budgets.ts'
import { digest } from './digest.ts'
import type { StepGuard } from './guard.ts'
import { leaseOf } from './lock.ts'
import { never, type Runtime } from './runtime.ts'

const AGAIN_MS = 500
const DAY_S = 86_400
/** How often one run may be asked about one budget. */
const ROUNDS_MAX = 10_000

/** The answer to a question of a budget, as far as it counts. */
type Lease = { readonly answer: Json; readonly by: string; readonly at: number } | 'expired'

/** What people have said of a run and a budget so far. */
type Standing = { readonly round: number; readonly grants: number; readonly stoppedBy: string | undefined }

/**
 * Watches what a run spends on models. A run that has used up a budget is held at its next step border by a question; it goes on when somebody says so, when the budget was changed, and, under
 * the budget of a day, when the day is over. Nobody's silence ends a run. What was asked and answered is journaled, so a later try stands where this one did.
 */
export class BudgetGuard implements StepGuard {
  readonly #runtime: Runtime
  readonly #leases = new Map<string, Lease>()
  readonly #said = new Set<string>()
  #own: Spent = { cost: 0, tokens: 0 }
  #passing: Promise<void> | undefined

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  count(call: EventData['model']): void {
    this.#own = { cost: this.#own.cost + (call.cost ?? 0), tokens: this.#own.tokens + tokensOf(call.tokens) }
  }

  pass(): Promise<void> | undefined {
    if (this.#passing) return this.#passing
    const budgets = this.#budgets()
    // Read again below, where a failure is waited for.
    if (budgets instanceof Promise) budgets.catch(() => undefined)
    else if (budgets.length === 0 && this.#unsettled() === undefined) return undefined
    this.#passing = this.#pass().finally(() => (this.#passing = undefined))
    return this.#passing
  }

  async #pass(): Promise<void> {
    for (;;) {
      if (this.#runtime.phase === 'closed') return never()
      if (this.#runtime.phase === 'unwinding') return
      const lid = this.#unsettled()
      const overrun = lid === undefined ? await this.#overrun() : undefined
      if (lid !== undefined) await this.#settle(lid)
      else if (overrun) await this.#ask(overrun)
      else return
    }
  }

  #budgets(): readonly Budget[] | Promise<readonly Budget[]> {
    const { flow, run, budgets } = this.#runtime.deps
    const own = flow.budget ? [flow.budget] : []
    const found = budgets?.of({ flow: flow.name, user: run.user }) ?? []
    return found instanceof Promise ? found.then((some) => [...own, ...some]) : [...own, ...found]
  }

  /** A question of an earlier try that still stands: the run waits for it, whatever the budget says now, so that none stays open for ever. */
  #unsettled(): string | undefined {
    for (const [lid, { lease }] of this.#runtime.journal.locks) {
      if (lease === undefined && lid.startsWith(BUDGET_LID) && !this.#leases.has(lid)) return lid
    }
    return undefined
  }

  /** The first budget that holds the run; says of the others when their end is near. */
  async #overrun(): Promise<(Overrun & { readonly lid: string }) | undefined> {
    const { clock, run } = this.#runtime.deps
    for (const budget of await this.#read(async () => this.#budgets())) {
      const today = dayOf(clock.now() / 1000)
      const day = budget.per === 'day' ? new Date(today * DAY_S * 1000).toISOString().slice(0, 10) : null
      const standing = this.#standing(`${budget.id} ${day ?? ''}`)
      if (standing.stoppedBy !== undefined) {
        this.#runtime.cancelBy(standing.stoppedBy, `The budget "${budget.id}" was used up.`)
        return undefined
      }
      const allowed = allowedBy(budget, standing.grants)
      const spent = day === null ? this.#total() : await this.#read(() => this.#spentOn(today, budget))
      if (reaches(spent, allowed, 1)) return { budget, spent, allowed, day, lid: lidOf(run.fid, `${budget.id} ${day ?? ''}`, standing.round) }
      if (reaches(spent, allowed, budget.warnAt)) this.#warn(budgetWarning(budget, allowed, day))
    }
    return undefined
  }

  #total(): Spent {
    const { spent } = this.#runtime.journal
    return { cost: spent.cost + this.#own.cost, tokens: spent.tokens + this.#own.tokens }
  }

  /** The store lags behind what this run has spent just now. */
  async #spentOn(day: number, budget: Budget): Promise<Spent> {
    const { budgets, run } = this.#runtime.deps
    if (!budgets) return this.#total()
    const [all, stored] = await Promise.all([budgets.spentOn(day, budget), budgets.spentBy(run.fid)])
    const total = this.#total()
    return { cost: all.cost + Math.max(0, total.cost - stored.cost), tokens: all.tokens + Math.max(0, total.tokens - stored.tokens) }
  }

  #standing(key: string): Standing {
    const { journal, deps } = this.#runtime
    let grants = 0
    for (let round = 1; ; round += 1) {
      const lid = lidOf(deps.run.fid, key, round)
      const lease = this.#leases.get(lid) ?? journal.locks.get(lid)?.lease
      if (lease === undefined || round === ROUNDS_MAX) return { round, grants, stoppedBy: undefined }
      const decision = decisionOf(lease)
      if (decision === 'go on') grants += 1
      // A retry voids what ended the run before it.
      if (decision === 'stop' && lease !== 'expired' && lease.at > journal.retriedAt) return { round, grants, stoppedBy: lease.by }
    }
  }

  async #ask({ lid, ...overrun }: Overrun & { readonly lid: string }): Promise<void> {
    const { budget, day } = overrun
    const isOwn = budget === this.#runtime.deps.flow.budget
    // The flow's own budget is a matter of who started the run; the installation's is one of its operators.
    const people = isOwn ? {} : { roles: ['operator'], assignees: [...budget.assignees] }
    const question = {
      name: isOwn ? 'Budget of this run' : `Budget "${budget.id}"`,
      form: BUDGET_FORM,
      data: budgetData(overrun),
      expires_at: day === null ? null : Date.parse(day) / 1000 + DAY_S,
      ...people,
    }
    await this.#settle(lid, question)
  }

  async #settle(lid: string, question?: Omit<EventData['lock'], 'lid'>): Promise<void> {
    const lease = await leaseOf(this.#runtime, lid, () => question ?? { name: '', form: {}, data: null, expires_at: null })
    this.#leases.set(lid, lease === 'void' ? 'expired' : lease)
    if (lease !== 'void' && decisionOf(lease) === 'look again') this.#runtime.deps.budgets?.refresh()
  }

  #warn(text: string): void {
    if (this.#said.has(text)) return
    this.#said.add(text)
    this.#runtime.say('warning', { type: 'text', value: text })
  }

  /** Reads something of the store; while it is away the run waits. */
  async #read<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      const end = this.#runtime.begin()
      try {
        return await read()
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
      } finally {
        end()
      }
      await this.#runtime.until({ kind: 'retry', id: 'budget', until: this.#runtime.deps.clock.now() + AGAIN_MS })
    }
  }
}

function lidOf(fid: string, key: string, round: number): string {
  return BUDGET_LID + digest([fid, 'budget', key, round], 12)
}

function decisionOf(lease: Lease): unknown {
  return lease !== 'expired' && typeof lease.answer === 'object' && lease.answer !== null && 'decision' in lease.answer ? lease.answer['decision'] : undefined
}

/** Each grant allows as much again. */
function allowedBy({ costMax, tokensMax }: Budget, grants: number): Allowed {
  return { cost: costMax === null ? null : costMax * (1 + grants), tokens: tokensMax === null ? null : tokensMax * (1 + grants) }
}

function reaches(spent: Spent, { cost, tokens }: Allowed, part: number): boolean {
  return (cost !== null && spent.cost >= cost * part) || (tokens !== null && spent.tokens >= tokens * part)
}
