// Goal: whenever a run dies, its next tries come to the same result and do no finished step again. Method: random flows (steps, groups, branches, sleeps, locks, emissions) on a timeline in memory; the process
// is killed after a random number of acknowledged writes, again and again; the result must equal that of an undisturbed run, and each step whose result was stored before a kill must not be done after it.
import { within } from '@koco/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RunEvent } from '@koco/core'
import type { FlowContext } from '../context.ts'
import { ScriptedRun, scriptedFlow } from '../testing/scripted-run.ts'
import { TestClock } from '../testing/world.ts'
import type { TryOutcome } from './try.ts'

const TEST_MS = 60_000

type Act =
  | { readonly act: 'step'; readonly name: string; readonly fails: number }
  | { readonly act: 'sleep' }
  | { readonly act: 'lock' }
  | { readonly act: 'emit'; readonly text: string }
  | { readonly act: 'chance' }
  | { readonly act: 'branches'; readonly branches: readonly (readonly Act[])[] }

const { program } = fc.letrec<{ program: readonly Act[]; act: Act }>((tie) => ({
  program: fc.array(tie('act'), { minLength: 1, maxLength: 5 }),
  act: fc.oneof(
    { maxDepth: 2 },
    fc.record({ act: fc.constant('step' as const), name: fc.constantFrom('a', 'b'), fails: fc.constantFrom(0, 0, 0, 1) }),
    fc.constant({ act: 'sleep' as const }),
    fc.constant({ act: 'lock' as const }),
    fc.record({ act: fc.constant('emit' as const), text: fc.constantFrom('x', 'y') }),
    fc.constant({ act: 'chance' as const }),
    fc.record({ act: fc.constant('branches' as const), branches: fc.array<readonly Act[]>(tie('program'), { minLength: 1, maxLength: 3 }) }),
  ),
}))

/** What happened in the world outside: which life is on, and which steps were done in which. */
type World = { life: number; readonly done: { readonly step: string; readonly life: number }[] }

async function play(acts: readonly Act[], ctx: FlowContext, path: string, world: World): Promise<unknown[]> {
  const results: unknown[] = []
  for (const [index, act] of acts.entries()) results.push(await playOne(act, ctx, `${path}/${index}`, world))
  return results
}

async function playOne(act: Act, ctx: FlowContext, path: string, world: World): Promise<unknown> {
  switch (act.act) {
    case 'step': {
      const { life } = world
      return ctx.step(act.name, { retries: { max: 1, delay: 1 }, input: path }, async (info) => {
        await new Promise((resolve) => setImmediate(resolve))
        if (world.life !== life) return new Promise(() => undefined)
        if (info.try <= act.fails) throw new Error('flaky')
        world.done.push({ step: path, life })
        return `${path}=${info.idempotencyKey.slice(0, 4)}`
      })
    }
    case 'sleep':
      return ctx.sleep('1h')
    case 'lock':
      return ctx.lock('ask', { timeout: null })
    case 'emit':
      ctx.result(act.text)
      return act.text
    case 'chance':
      return [ctx.random(), ctx.uuid()]
    default:
      return Promise.all(act.branches.map((branch, key) => ctx.group('branch', { key: `${path}.${key}` }, () => play(branch, ctx, `${path}.${key}`, world))))
  }
}

/** Runs a program to its end; `kills`: after how many acknowledged writes each life ends. */
async function live(acts: readonly Act[], kills: readonly number[]) {
  const world: World = { life: 0, done: [] }
  const clock = new TestClock(1_900_000_000_000, false)
  const run = new ScriptedRun(
    scriptedFlow((ctx) => play(acts, ctx, '', world)),
    { idleMs: 4 },
    clock,
  )
  const storedAtKill: Set<string>[] = []
  for (let tries = 0; tries < 200; tries += 1) {
    const kill = kills[world.life]
    const outcome = await mortalTry(run, kill)
    if (outcome === 'killed') {
      storedAtKill.push(finishedSteps(run.events))
      world.life += 1
    } else if (outcome.outcome === 'suspended') {
      if (outcome.wakeAt !== null) clock.skipTo(outcome.wakeAt * 1000)
      const answered = new Set(run.answers.map(({ lid }) => lid))
      for (const lid of outcome.locks) if (!answered.has(lid)) run.answer(lid, `answer of ${lid}`)
    } else return { outcome, events: run.events, world, storedAtKill }
  }
  throw new Error('the run never ended')
}

/** One try that is killed at the given number of acknowledged writes. */
async function mortalTry(run: ScriptedRun, kill: number | undefined): Promise<TryOutcome | 'killed'> {
  const killed = Promise.withResolvers<'killed'>()
  let flushes = 0
  run.wrap = (real) => ({
    epoch: real.epoch,
    stopped: real.stopped,
    prev: real.prev,
    emit: (event) => real.emit(event),
    close: (withinMs) => real.close(withinMs),
    flush: () => {
      if (flushes === kill) {
        run.timeline.crash()
        killed.resolve('killed')
      }
      flushes += 1
      return real.flush()
    },
  })
  return Promise.race([run.attempt(), killed.promise])
}

function finishedSteps(events: readonly RunEvent[]): Set<string> {
  return new Set(
    events.flatMap((event) =>
      event.kind === 'step' && event.data.phase === 'finished' && event.data.name !== 'now'
        ? [JSON.stringify(event.data.result).slice(1).split('=')[0] ?? '']
        : [],
    ),
  )
}

test('a run killed anywhere comes to the same result, and does no stored step again', { timeout: TEST_MS }, async () => {
  const property = fc.asyncProperty(program, fc.array(fc.nat(8), { maxLength: 4 }), async (acts, kills) => {
    const calm = await live(acts, [])
    const rough = await live(acts, kills)
    expect(rough.outcome).toEqual(calm.outcome)
    expect(
      rough.events
        .filter(({ kind }) => kind === 'result')
        .map(({ data }) => JSON.stringify(data))
        .toSorted(),
    ).toEqual(
      calm.events
        .filter(({ kind }) => kind === 'result')
        .map(({ data }) => JSON.stringify(data))
        .toSorted(),
    )
    for (const [life, stored] of rough.storedAtKill.entries()) {
      expect(rough.world.done.filter((done) => done.life > life && stored.has(done.step))).toEqual([])
    }
    const counts = Map.groupBy(calm.world.done, ({ step }) => step)
    expect([...counts.values()].every((done) => done.length === 1)).toBe(true)
  })
  await fc.assert(property, { numRuns: 60, ...within(TEST_MS) })
})
