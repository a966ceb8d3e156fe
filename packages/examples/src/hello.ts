import { defineFlow } from 'koco'
import { z } from 'zod'

/** The first flow to run: three steps, a sleep and a question. */
export const hello = defineFlow({
  name: 'hello',
  summary: 'Greets in three steps, rests a moment and asks whether that was nice.',
  description: 'Kill the process while it rests or asks, start it again, and watch the run go on where it was.',
  tags: ['example'],
  inputs: z.object({
    name: z.string().min(1).max(100).default('World').describe('Whom to greet'),
    rest_seconds: z.number().int().min(0).max(3600).default(1).describe('How long to rest between the steps'),
  }),
  async run({ name, rest_seconds: rest }, ctx) {
    const greeting = await ctx.step('choose a greeting', () => (name.length % 2 === 0 ? 'Hello' : 'Good day'))
    const sentence = await ctx.step('write a sentence', () => `${greeting}, ${name}!`)
    ctx.result(ctx.markdown(`**${sentence}**`))
    await ctx.sleep(rest * 1000)
    const { nice } = await ctx.lock('nice?', {
      form: z.object({ nice: z.boolean().default(true).describe('Was that a nice greeting?') }),
      data: { sentence },
    })
    const closing = await ctx.step('close', () => (nice ? 'Thank you.' : 'Better next time.'))
    return ctx.markdown(`# ${sentence}\n\n${closing}`)
  },
})
