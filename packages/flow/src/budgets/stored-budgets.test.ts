// Goal: a process asks the store for budgets seldom, sees changes within seconds, at once when told, and remembers no failure. Method: a counted list, a clock moved by hand.
import { UnavailableError } from '@koco/core'
import type { Budget, ExecutionStore } from '@koco/storage'
import { expect, test } from 'vitest'
import { TestClock } from '../testing/world.ts'
import { storedBudgets } from './stored-budgets.ts'

const budget = (id: string, flow: string | null, user: string | null): Budget => {
  const rest = { costMax: 1, tokensMax: null, warnAt: 0.8, assignees: [], changedAt: 0, changedBy: 'op' } as const
  return { id, flow, user, per: 'run', ...rest }
}

function setUp() {
  const clock = new TestClock(1_000_000, false)
  const seen = { lists: 0, sums: 0, budgets: [budget('all', null, null), budget('trip', 'trip', null), budget('bob', null, 'bob')], away: false }
  const store = {
    budgets: {
      async list() {
        seen.lists += 1
        if (seen.away) throw new UnavailableError('away', { code: 'store_unavailable' })
        return seen.budgets
      },
    },
    insights: {
      async models() {
        seen.sums += 1
        return [{ cost: seen.sums, input_uncached: 1, cache_read: 0, cache_write: 0, output: 2, reasoning: 0 }]
      },
    },
    runs: { get: async () => undefined },
  }
  return { clock, seen, budgets: storedBudgets(store as unknown as ExecutionStore, clock) }
}

const ids = async (found: readonly Budget[] | Promise<readonly Budget[]>): Promise<string[]> => (await found).map(({ id }) => id)

test('a run has the budgets of its flow, of its user and of all', async () => {
  const { budgets } = setUp()
  expect(await ids(budgets.of({ flow: 'trip', user: 'ann' }))).toEqual(['all', 'trip'])
  expect(await ids(budgets.of({ flow: 'other', user: 'bob' }))).toEqual(['all', 'bob'])
})

test('many runs ask the store once, and again after 5 seconds or when told', async () => {
  const { budgets, seen, clock } = setUp()
  const run = { flow: 'x', user: 'y' }
  await Promise.all([budgets.of(run), budgets.of(run), budgets.of(run)])
  expect([budgets.of(run) instanceof Promise, seen.lists]).toEqual([false, 1])
  clock.skipTo(clock.now() + 5001)
  await budgets.of(run)
  expect(seen.lists).toBe(2)
  seen.budgets = []
  budgets.refresh()
  expect([await ids(budgets.of(run)), seen.lists]).toEqual([[], 3])
})

test('a list that was being read when it changed is not kept', async () => {
  const { budgets, seen } = setUp()
  const old = budgets.of({ flow: 'x', user: 'y' })
  budgets.refresh()
  seen.budgets = []
  const fresh = budgets.of({ flow: 'x', user: 'y' })
  await old
  expect([await ids(fresh), await ids(budgets.of({ flow: 'x', user: 'y' }))]).toEqual([[], []])
})

test('a failure is not remembered', async () => {
  const { budgets, seen } = setUp()
  seen.away = true
  await expect(budgets.of({ flow: 'x', user: 'y' })).rejects.toThrow('away')
  seen.away = false
  expect(await ids(budgets.of({ flow: 'x', user: 'y' }))).toEqual(['all'])
})

test('the spending of a day is asked for once a second', async () => {
  const { budgets, clock } = setUp()
  const one = budget('all', null, null)
  expect([await budgets.spentOn(1, one), await budgets.spentOn(1, one)]).toEqual([
    { cost: 1, tokens: 3 },
    { cost: 1, tokens: 3 },
  ])
  clock.skipTo(clock.now() + 1001)
  expect(await budgets.spentOn(1, one)).toEqual({ cost: 2, tokens: 3 })
})
