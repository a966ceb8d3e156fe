import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { defineFlow } from 'koco'
import { z } from 'zod'

/**
 * Emits numbered events in steps, and after each step writes down how many were acknowledged by then: a step resolves only when the stream has all that was emitted before its end. What stands in the
 * witness' file must never be missed in the store, whatever died.
 */
export const witnessed = defineFlow({
  name: 'witnessed',
  summary: 'Emits numbered events and keeps a record of what was acknowledged.',
  inputs: z.object({ events: z.number().int().min(1), burst: z.number().int().min(1), pauseMs: z.number().min(0), witness: z.string() }),
  async run({ events, burst, pauseMs, witness }, ctx) {
    for (let sent = 0; sent < events; sent += burst) {
      const end = Math.min(events, sent + burst)
      await ctx.step('burst', { key: String(sent) }, async () => {
        for (let n = sent; n < end; n += 1) ctx.action('tick', { n })
        if (pauseMs > 0) await delay(pauseMs)
      })
      appendFileSync(join(witness, ctx.fid), `${end}\n`)
    }
    return { events }
  },
})
