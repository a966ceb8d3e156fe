import { setTimeout as delay } from 'node:timers/promises'
import { defineFlow, type Flow } from '@koco/flow'
import { z } from 'zod'

/** Events that each step of the drill's flow emits. */
const EVENTS_A_STEP = 20

/** What the drills run: steps that take their time and emit events, and a question at the end when asked for. */
export const drillFlow: Flow = defineFlow({
  name: 'koco-drill',
  summary: 'Works in steps while a drill breaks something.',
  inputs: z.object({ steps: z.number().int().min(0).max(1000), stepMs: z.number().min(0).max(10_000), asks: z.boolean().default(false) }),
  async run({ steps, stepMs, asks }, ctx) {
    for (let n = 0; n < steps; n += 1) {
      await ctx.step('work', { key: String(n) }, async () => {
        for (let event = 0; event < EVENTS_A_STEP; event += 1) ctx.action('tick', { n: n * EVENTS_A_STEP + event })
        await delay(stepMs)
      })
    }
    if (asks) await ctx.lock('go on', { form: z.object({}) })
    return { steps }
  },
})
