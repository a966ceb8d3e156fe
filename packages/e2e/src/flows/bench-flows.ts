import { setTimeout as delay } from 'node:timers/promises'
import { defineFlow } from 'koco'
import { z } from 'zod'

/** Three steps that do nothing: what a run costs by itself. */
export const threeSteps = defineFlow({
  name: 'three-steps',
  summary: 'Three trivial steps.',
  inputs: z.object({}),
  async run(_inputs, ctx) {
    const one = await ctx.step('one', () => 1)
    const two = await ctx.step('two', () => one + 1)
    return ctx.step('three', () => two + 1)
  },
})

/** Many trivial steps one after the other, each timed: what a step costs. The result lists the milliseconds. */
export const manySteps = defineFlow({
  name: 'many-steps',
  summary: 'Trivial steps in a row, each timed.',
  inputs: z.object({ steps: z.number().int().min(1).max(10_000) }),
  async run({ steps }, ctx) {
    const ms: number[] = []
    for (let step = 0; step < steps; step += 1) {
      const start = performance.now()
      await ctx.step('trivial', { key: String(step) }, () => step)
      ms.push(performance.now() - start)
    }
    return { ms }
  },
})

/** Emits events at a steady rate, each stamped with the moment of its emission. */
export const emitAtRate = defineFlow({
  name: 'emit-at-rate',
  summary: 'Emits events at a steady rate.',
  inputs: z.object({ perSecond: z.number().int().min(1).max(20_000), seconds: z.number().min(0.1).max(600) }),
  async run({ perSecond, seconds }, ctx) {
    const start = performance.now()
    for (let sent = 0; sent < perSecond * seconds;) {
      const due = Math.min(perSecond * seconds, ((performance.now() - start) / 1000) * perSecond)
      for (; sent < due; sent += 1) ctx.action('tick', { n: sent, at: performance.timeOrigin + performance.now() })
      await delay(2)
    }
    return { sent: perSecond * seconds }
  },
})

/** Emits a number of events as fast as it may, in steps of 100; what crash tests count. */
export const emitMany = defineFlow({
  name: 'emit-many',
  summary: 'Emits many events in steps.',
  inputs: z.object({ events: z.number().int().min(1).max(1_000_000), pauseMs: z.number().min(0).default(0) }),
  async run({ events, pauseMs }, ctx) {
    for (let sent = 0; sent < events; sent += 100) {
      await ctx.step('burst', { key: String(sent) }, async () => {
        for (let n = sent; n < Math.min(events, sent + 100); n += 1) ctx.action('tick', { n })
        if (pauseMs > 0) await delay(pauseMs)
      })
    }
    return { events }
  },
})

/** Forgets a promise that is rejected: a mistake of an author that must not end the process. */
export const forgetful = defineFlow({
  name: 'forgetful',
  summary: 'Forgets a promise that fails.',
  inputs: z.object({}),
  async run(_inputs, ctx) {
    void Promise.reject(new Error('nobody waits for me'))
    await ctx.step('go on', () => delay(10))
    return 'still here'
  },
})

/** Asks a person once. */
export const asksOnce = defineFlow({
  name: 'asks-once',
  summary: 'Asks once and ends.',
  inputs: z.object({}),
  run: (_inputs, ctx) => ctx.lock('go on'),
})
