import { defineFlow } from 'koco'
import { z } from 'zod'

const nothing = z.object({})
/** Longer than the heartbeat timeout of a try. */
const BLOCKED_MS = 30_000

/** What authors do by mistake, a flow each. */
export const throws = defineFlow({
  name: 'throws',
  summary: 'Throws.',
  inputs: nothing,
  run() {
    throw new RangeError('out of luck')
  },
})

/** Waits in a step for what never comes. */
export const hangs = defineFlow({
  name: 'hangs',
  summary: 'Hangs.',
  inputs: nothing,
  timeout: '2s',
  run: (_inputs, ctx) => ctx.step('wait', () => new Promise(() => undefined)),
})

/** Ends its own process. */
export const exits = defineFlow({
  name: 'exits',
  summary: 'Ends its process.',
  inputs: nothing,
  run: (_inputs, ctx) => ctx.step('exit', () => process.exit(7)),
})

/** Lets nothing else happen in its process for half a minute. */
export const blocks = defineFlow({
  name: 'blocks',
  summary: 'Blocks its process.',
  inputs: nothing,
  async run(_inputs, ctx) {
    const slept = await ctx.step('block', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS))
    return ctx.step('after', () => slept)
  },
})

/** Returns what JSON cannot carry. */
export const returnsAFunction = defineFlow({ name: 'returns-a-function', summary: 'Returns a function.', inputs: nothing, run: () => ({ callback: () => 1 }) })

/** Calls another step each time it is called: in a later try nothing fits. */
export const changesItsMind = defineFlow({
  name: 'changes-its-mind',
  summary: 'Calls other steps in each try.',
  inputs: nothing,
  async run(_inputs, ctx) {
    await ctx.step(`step of process ${process.pid}`, () => 1)
    await ctx.lock('go on')
    return 'done'
  },
})

/** Does nothing wrong. */
export const well = defineFlow({ name: 'well', summary: 'Works.', inputs: nothing, run: (_inputs, ctx) => ctx.step('one', () => 1) })
