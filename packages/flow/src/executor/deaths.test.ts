// Goal: a run that kills its process again and again takes ever longer rests, and one that was struck once or twice takes none. Method: the policy itself; tries on a timeline in memory whose producers die.
import { expect, test } from 'vitest'
import { scriptedFlow, ScriptedRun } from '../testing/scripted-run.ts'
import { restAfter, whyRest } from './deaths.ts'
import type { TryLimits } from './try.ts'

test('the first two tries come again at once, then after 1 s, 2 s, 4 s … up to a minute', () => {
  expect(Array.from({ length: 12 }, (_, deaths) => restAfter(deaths) / 1000)).toEqual([0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60])
})

test('it is said where a run died, as far as that is known', () => {
  expect(whyRest({ deaths: 4, lastBegun: 'parse' }, 2000)).toBe(
    '4 tries one after the other ended with their process, last in step "parse"; the next comes after 2 s',
  )
  expect(whyRest({ deaths: 3, lastBegun: null }, 1000)).toBe('3 tries one after the other ended with their process; the next comes after 1 s')
})

/** A run of two steps, of which one kills the process. */
class Mortal extends ScriptedRun {
  deadly: 'one' | 'two' | null = 'one'
  #died = Promise.withResolvers<void>()

  constructor(limits: Partial<TryLimits> = {}) {
    super(
      scriptedFlow(async (ctx) => {
        for (const name of ['one', 'two'] as const) await ctx.step(name, () => this.#step(name))
      }),
      limits,
    )
  }

  /** Makes a try that dies. */
  async die(reason?: 'recover' | 'wake'): Promise<void> {
    this.#died = Promise.withResolvers()
    void this.attempt(reason)
    await this.#died.promise
    this.timeline.crash()
  }

  async #step(name: string): Promise<void> {
    if (name !== this.deadly) return
    this.#died.resolve()
    await new Promise(() => undefined)
  }
}

test('from the third death on a run rests and says why; the try after the rest is made, and its death counts on', async () => {
  const run = new Mortal()
  for (let deaths = 0; deaths < 3; deaths += 1) await run.die()
  const before = Date.now() / 1000
  const rested = await run.attempt()
  expect(rested).toEqual({ outcome: 'suspended', status: 'awaiting', wakeAt: expect.any(Number), locks: [] })
  expect((rested as { wakeAt: number }).wakeAt).toBeGreaterThanOrEqual(before + 1)
  expect(run.events.at(-1)).toMatchObject({ kind: 'status', data: { status: 'awaiting', deaths: 3, reason: expect.stringContaining('3 tries') } })
  await run.die('wake')
  expect(await run.attempt()).toMatchObject({ outcome: 'suspended' })
  expect(run.events.at(-1)).toMatchObject({ data: { deaths: 4, reason: expect.stringContaining('after 2 s') } })
  // Whatever the launcher takes the next try for: the one before it ended without a word.
  await run.die('wake')
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'suspended' })
  expect(run.events.at(-1)).toMatchObject({ data: { deaths: 5 } })
  run.deadly = null
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'finished' })
})

test('progress resets the count, and so does who retries or resumes the run', async () => {
  const run = new Mortal()
  for (let deaths = 0; deaths < 2; deaths += 1) await run.die()
  run.deadly = 'two'
  for (let deaths = 0; deaths < 3; deaths += 1) await run.die()
  expect(await run.attempt()).toMatchObject({ outcome: 'suspended' })
  expect(run.events.at(-1)).toMatchObject({ data: { deaths: 3 } })
  run.ask('pause')
  expect(await run.attempt('wake')).toMatchObject({ outcome: 'suspended', status: 'paused' })
  run.ask('run')
  await run.die('wake')
  run.deadly = null
  expect(await run.attempt()).toMatchObject({ outcome: 'finished' })
})

test('a run that dies more often than its limit ends in words', async () => {
  const run = new Mortal({ recoveries: 3 })
  for (let deaths = 0; deaths < 3; deaths += 1) await run.die()
  expect(await run.attempt()).toMatchObject({ outcome: 'suspended' })
  await run.die('wake')
  expect(await run.attempt()).toMatchObject({ outcome: 'failed', error: { code: 'crash_loop', message: expect.stringMatching(/^4 tries/) } })
})
