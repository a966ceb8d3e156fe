/*
 * Goal: a run that has used up a budget is held at a step border and asked about once, whatever ends its tries; nobody's silence ends it.
 * Method: tries of one run on a timeline in memory; the budgets, the spending of others, people's answers and the clock are set by the test.
 */
import { UnavailableError, type EventData, type RunEvent } from '@koco/core'
import type { Budget } from '@koco/storage'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Budgets } from '../budgets/stored-budgets.ts'
import type { FlowContext } from '../context.ts'
import { defineFlow, type Flow } from '../flow.ts'
import { ScriptedRun } from '../testing/scripted-run.ts'
import { TestClock } from '../testing/world.ts'

const MORNING = Date.parse('2030-05-06T08:00:00Z')
const DAY_END = Date.parse('2030-05-07T00:00:00Z') / 1000

const call = (cost: number): Parameters<FlowContext['model']>[0] => ({ provider: 'p', model: 'm', duration: 5, tokens: { output: 100 }, cost })

/** A flow of `steps` steps in each of which a model is asked for `cost`. */
function spender(steps: number, cost: number, budget?: { cost?: number; tokens?: number }): { readonly flow: Flow; readonly done: number[] } {
  const done: number[] = []
  const flow = defineFlow({
    name: 'spender',
    summary: 'A test',
    inputs: z.object({}),
    ...(budget && { budget }),
    async run(_inputs, ctx) {
      for (let i = 1; i <= steps; i += 1) {
        await ctx.step('spend', { key: i }, () => {
          done.push(i)
          ctx.model(call(cost))
        })
      }
      return done.length
    },
  })
  return { flow, done }
}

function budgetOf(change: Partial<Budget>): Budget {
  const budget = {
    id: 'b',
    flow: null,
    user: null,
    per: 'run',
    costMax: 1,
    tokensMax: null,
    warnAt: 0.8,
    assignees: [],
    changedAt: 0,
    changedBy: 'op',
  } as const
  return { ...budget, ...change }
}

function budgetsAre(list: () => readonly Budget[], spentOn: Budgets['spentOn'] = async () => ({ cost: 0, tokens: 0 })): { readonly budgets: Budgets } {
  return { budgets: { of: () => list(), refresh: () => undefined, spentOn, spentBy: async () => ({ cost: 0, tokens: 0 }) } }
}

const locks = (run: ScriptedRun): EventData['lock'][] => run.events.flatMap((event) => (event.kind === 'lock' ? [event.data] : []))
const warnings = (run: ScriptedRun): unknown[] => run.events.flatMap((event) => (event.kind === 'warning' ? [event.data.value] : []))
const count = (run: ScriptedRun, kind: RunEvent['kind']): number => run.events.filter((event) => event.kind === kind).length

test("a flow's own budget warns, holds, and after an answer allows as much again", async () => {
  const { flow, done } = spender(8, 0.3, { cost: 1 })
  const run = new ScriptedRun(flow)
  const held = await run.attempt()
  expect(held).toMatchObject({ outcome: 'suspended', status: 'awaiting', wakeAt: null, locks: [locks(run)[0]?.lid] })
  expect(done).toEqual([1, 2, 3, 4])
  expect(warnings(run)).toEqual([expect.stringContaining('80 %')])
  expect(locks(run)[0]).toMatchObject({
    name: 'Budget of this run',
    expires_at: null,
    data: { type: 'markdown', value: expect.stringContaining('a cost of 1.2 of the 1 that') },
  })
  expect(locks(run)[0]).not.toHaveProperty('roles')
  run.answer(locks(run)[0]?.lid ?? '', { decision: 'go on' })
  const again = await run.attempt('wake')
  expect(again).toMatchObject({ outcome: 'suspended', locks: [locks(run)[1]?.lid] })
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
  run.answer(locks(run)[1]?.lid ?? '', { decision: 'go on' })
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'finished' })
  expect([done.length, count(run, 'lock'), count(run, 'lease'), warnings(run).length]).toEqual([8, 2, 2, 2])
})

test('a try that dies while the run is held asks nothing twice, and counts what the tries before it spent', async () => {
  const { flow, done } = spender(3, 1, { cost: 2 })
  const run = new ScriptedRun(flow)
  await run.attempt()
  expect(await run.attempt('recover')).toMatchObject({ outcome: 'suspended', locks: [locks(run)[0]?.lid] })
  expect(await run.attempt('recover')).toMatchObject({ outcome: 'suspended' })
  expect([done, count(run, 'lock')]).toEqual([[1, 2], 1])
  run.answer(locks(run)[0]?.lid ?? '', { decision: 'go on' })
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'finished' })
  expect([count(run, 'lock'), count(run, 'lease'), done]).toEqual([1, 1, [1, 2, 3]])
})

test('who says stop cancels the run; a retry asks anew', async () => {
  const { flow, done } = spender(3, 1, { tokens: 100 })
  const run = new ScriptedRun(flow)
  await run.attempt()
  run.answer(locks(run)[0]?.lid ?? '', { decision: 'stop' })
  expect(await run.attempt('wake')).toEqual({ outcome: 'cancelled' })
  expect(run.events.find(({ kind }) => kind === 'cancel')?.data).toMatchObject({ by: 'ada', reason: expect.stringContaining('budget') })
  expect(await run.attempt('retry')).toMatchObject({ outcome: 'suspended', locks: [locks(run)[1]?.lid] })
  run.answer(locks(run)[1]?.lid ?? '', { decision: 'go on' })
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'suspended' })
  expect(done).toEqual([1, 2])
})

test("an operators' budget names who may answer; when it was raised the run looks again", async () => {
  const { flow, done } = spender(4, 1)
  let costMax = 2
  const change = budgetsAre(() => [budgetOf({ costMax, assignees: ['ann'] })])
  const run = new ScriptedRun(flow)
  await run.attempt('start', change)
  expect(locks(run)[0]).toMatchObject({ name: 'Budget "b"', roles: ['operator'], assignees: ['ann'], data: { budget: 'b' } })
  costMax = 3
  run.answer(locks(run)[0]?.lid ?? '', { decision: 'look again' })
  expect(await run.attempt('wake', change)).toMatchObject({ outcome: 'suspended', locks: [locks(run)[1]?.lid] })
  expect(done).toEqual([1, 2, 3])
})

test('a budget that was taken away lets the run go on once it is told to look', async () => {
  const { flow } = spender(3, 1)
  let all: readonly Budget[] = [budgetOf({ costMax: 2 })]
  const run = new ScriptedRun(flow)
  await run.attempt(
    'start',
    budgetsAre(() => all),
  )
  all = []
  run.answer(locks(run)[0]?.lid ?? '', { decision: 'look again' })
  const end = await run.attempt(
    'wake',
    budgetsAre(() => all),
  )
  expect([end.outcome, count(run, 'lock'), count(run, 'lease')]).toEqual(['finished', 1, 1])
})

test("the budget of a day counts everybody's spending, and the run goes on by itself when the day is over", async () => {
  const { flow, done } = spender(3, 1)
  const clock = new TestClock(MORNING, false)
  const others = new Map([[Math.floor(MORNING / 86_400_000), 8.5]])
  const change = budgetsAre(
    () => [budgetOf({ per: 'day', costMax: 10 })],
    async (day) => ({ cost: others.get(day) ?? 0, tokens: 0 }),
  )
  const run = new ScriptedRun(flow, {}, clock)
  expect(await run.attempt('start', change)).toMatchObject({ outcome: 'suspended', wakeAt: DAY_END })
  expect(done).toEqual([1, 2])
  expect(locks(run)[0]).toMatchObject({ expires_at: DAY_END, data: { value: expect.stringContaining('On 2030-05-06 (UTC) all runs have') } })
  clock.skipTo((DAY_END + 1) * 1000)
  expect(await run.attempt('wake', change)).toMatchObject({ outcome: 'finished' })
  expect(run.events.find(({ kind }) => kind === 'lease')?.data).toMatchObject({ expired: true })
})

test('branches that come to their borders together ask once', async () => {
  const flow = defineFlow({
    name: 'branches',
    summary: 'A test',
    inputs: z.object({}),
    budget: { cost: 1 },
    async run(_inputs, ctx) {
      await ctx.step('first', () => ctx.model(call(1)))
      return (await Promise.all([1, 2, 3].map((key) => ctx.step('branch', { key }, () => key)))).length
    },
  })
  const run = new ScriptedRun(flow)
  await run.attempt()
  expect(count(run, 'lock')).toBe(1)
  run.answer(locks(run)[0]?.lid ?? '', { decision: 'go on' })
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'finished', final: { value: 3 } })
})

test('while the store is away the run waits, and a run that is cancelled meanwhile is', async () => {
  const { flow, done } = spender(2, 0.1)
  let away = 2
  const asked = Promise.withResolvers<void>()
  const of: Budgets['of'] = async () => {
    away -= 1
    if (away < 0) return []
    asked.resolve()
    throw new UnavailableError('away', { code: 'store_unavailable' })
  }
  const budgets: Budgets = { of, refresh: () => undefined, spentOn: async () => ({ cost: 0, tokens: 0 }), spentBy: async () => ({ cost: 0, tokens: 0 }) }
  expect(await new ScriptedRun(flow, { idleMs: 60_000 }).attempt('start', { budgets })).toMatchObject({ outcome: 'finished' })
  expect(done).toEqual([1, 2])
  away = Number.POSITIVE_INFINITY
  const run = new ScriptedRun(flow, { idleMs: 60_000 })
  const cancelled = run.attempt('start', { budgets })
  await asked.promise
  run.ask('cancel')
  expect(await cancelled).toEqual({ outcome: 'cancelled' })
})

test('a budget that cannot be meant is refused where the flow is defined', () => {
  for (const budget of [{}, { cost: 0 }, { tokens: -1 }, { cost: Number.NaN }]) expect(() => spender(1, 1, budget)).toThrow(/budget/)
})
