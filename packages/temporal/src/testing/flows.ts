import { setTimeout as delay } from 'node:timers/promises'
import { defineFlow, type Flow } from '@koco/flow'
import { z } from 'zod'

/** Asks as many questions in a row as it is told, and gives the answers. */
export const quiz: Flow = defineFlow({
  name: 'quiz',
  summary: 'Asks questions one after the other.',
  inputs: z.object({ questions: z.number().int().min(1).max(1000) }),
  async run({ questions }, ctx) {
    const answers: boolean[] = []
    for (let n = 0; n < questions; n += 1) answers.push((await ctx.lock(`question ${n}`, { form: z.object({ go: z.boolean() }) })).go)
    return { answers }
  },
})

/** Makes model calls whose answers are large. */
export const talker: Flow = defineFlow({
  name: 'talker',
  summary: 'Makes model calls with large answers.',
  inputs: z.object({ calls: z.number().int().min(1).max(10_000), bytes: z.number().int().min(1).max(200_000) }),
  async run({ calls, bytes }, ctx) {
    for (let call = 0; call < calls; call += 1) {
      const answer = await ctx.step('ask', { key: String(call) }, () => 'x'.repeat(bytes))
      ctx.text(answer.slice(0, 10))
    }
    return 'done'
  },
})

const nothing = z.object({})

/** A step that lasts until somebody stops it. */
const untilAborted = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

/** Works longer than it may. */
export const limited: Flow = defineFlow({
  name: 'limited',
  summary: 'Works longer than it may.',
  inputs: nothing,
  timeout: '300ms',
  run: (_inputs, ctx) => ctx.step('long', untilAborted),
})

/** A flow of each shape of workflow history. */
export function historyFlows(): readonly Flow[] {
  const flow = (name: string, run: Parameters<typeof defineFlow<typeof nothing>>[0]['run']): Flow =>
    defineFlow({ name, summary: `History: ${name}`, inputs: nothing, run })
  return [
    quiz,
    flow('plain', (_inputs, ctx) => ctx.step('one', () => 1)),
    flow('fails', () => {
      throw new RangeError('out of luck')
    }),
    flow('sleeps', async (_inputs, ctx) => {
      await ctx.sleep('1s')
      return 'awake'
    }),
    limited,
    flow('pages', async (_inputs, ctx) => {
      for (let page = 0; page < 100; page += 1) await ctx.step('page', { key: String(page) }, () => delay(20))
      return 'read'
    }),
    flow('works', (_inputs, ctx) => ctx.step('long', untilAborted)),
    flow('parent-of-quiz', async (_inputs, ctx) => ctx.wait([await ctx.start(quiz, { questions: 1 })])),
    flow('parent', async (_inputs, ctx) => ctx.wait([await ctx.start('sleeps', {}, { key: 1 }), await ctx.start('sleeps', {}, { key: 2 })])),
  ]
}
