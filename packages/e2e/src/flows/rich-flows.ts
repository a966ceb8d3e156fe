// oxlint-disable eslint/no-console -- a flow's console is captured into its run, and that is what is shown
import { defineFlow, file } from 'koco'
import { z } from 'zod'

const QUARTERS = ['Alfama', 'Baixa', 'Belém', 'Chiado']

/** A run with something of everything: groups, calls of models and tools, a step that fails at first, a wait, a question, logs in colours, files. */
export const everything = defineFlow({
  name: 'everything',
  summary: 'Plans a trip: groups, model calls, retries, waits, a question, logs and files.',
  tags: ['travel', 'demo'],
  author: 'Ada Byron',
  inputs: z.object({
    city: z.string().min(1).default('Lisbon'),
    restSeconds: z.number().min(0).max(600).default(0),
    doc: file().optional(),
    ask: z.boolean().default(true),
  }),
  async run({ city, restSeconds, doc, ask }, ctx) {
    console.log(`\u001B[1mPlanning\u001B[0m a trip to \u001B[36m${city}\u001B[0m`)
    if (doc !== undefined) ctx.action('read', { bytes: (await ctx.files.bytes(doc)).byteLength })
    await ctx.step('outline', async () => {
      for (const word of `A few days in ${city}, on foot and by tram.`.split(' ')) ctx.delta(`${word} `)
      await new Promise((resolve) => setTimeout(resolve, 60))
      ctx.model({
        provider: 'example',
        model: 'writer-2',
        duration: 55,
        tokens: { input_uncached: 812, cache_read: 4096, output: 240 },
        cost: 0.0042,
        text: `A few days in **${city}**, on foot and by tram.`,
      })
    })
    const found = await ctx.group('research', () =>
      Promise.all(
        QUARTERS.map((quarter) =>
          ctx.group('quarter', { key: quarter }, async () => {
            const page = await ctx.step('fetch', { retries: { max: 2, delay: '30ms' } }, async ({ try: one }) => {
              await new Promise((resolve) => setTimeout(resolve, 20 + quarter.length * 5))
              if (quarter === 'Belém' && one === 1) throw new Error('503: the guide is busy')
              ctx.tool({ name: 'http_get', input: { url: `https://guide.example/${quarter}` }, output: { status: 200 }, duration: 18 })
              return `${quarter} is worth half a day.`
            })
            return ctx.step('read', () => `${page} Go early.`)
          }),
        ),
      ),
    )
    ctx.progress(4, 5, 'Quarters read')
    ctx.warning('Belém answered only at the second try.')
    console.error('\u001B[33mwarn\u001B[0m the guide was slow')
    if (restSeconds > 0) await ctx.sleep(restSeconds * 1000)
    const answer = ask
      ? await ctx.lock('Is this plan good?', { form: z.object({ go: z.boolean().default(true), note: z.string().optional() }), data: { plan: found } })
      : { go: true }
    await ctx.step('write', async () => {
      await ctx.files.write('plan.md', `# ${city}\n\n${found.map((line) => `- ${line}`).join('\n')}\n`)
      await ctx.files.write('costs.csv', 'what,euros\ntram,12\ncustard tarts,9\n')
    })
    ctx.agent(ctx.markdown(`The plan for **${city}** is ready.`))
    return ctx.markdown(`# Four quarters of ${city}\n\n${found.map((line) => `- ${line}`).join('\n')}\n\n${answer.go ? 'Approved.' : 'Not approved.'}`)
  },
})

/** Says a number ten times a second. */
export const ticking = defineFlow({
  name: 'ticking',
  summary: 'Says a number ten times a second.',
  inputs: z.object({ seconds: z.number().int().min(1).max(60) }),
  async run({ seconds }, ctx) {
    for (let n = 1; n <= seconds * 10; n += 1) {
      ctx.action('tick', n)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  },
})
