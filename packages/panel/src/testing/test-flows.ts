import { chatTool, defineChatFlow, defineCompressFlow, defineFlow, file, files } from '@koco/flow'
import { z } from 'zod'

/** Three steps and a greeting. */
const hello = defineFlow({
  name: 'hello',
  summary: 'Greets somebody',
  tags: ['demo', 'short'],
  author: 'Ann',
  inputs: z.object({ name: z.string().min(1), times: z.number().int().min(1).max(9).default(1) }),
  async run({ name, times }, ctx) {
    const upper = await ctx.step('upper', () => name.toUpperCase())
    const word = await ctx.step('greet', () => `Hello ${upper}`)
    return ctx.step('repeat', () => Array.from({ length: times }, () => word).join(', '))
  },
})

/** Asks a person and says what they answered. */
const ask = defineFlow({
  name: 'ask',
  summary: 'Asks before it goes on',
  tags: ['demo'],
  inputs: z.object({}),
  async run(_inputs, ctx) {
    const answer = await ctx.lock('approve', { form: z.object({ go: z.boolean() }), data: { what: 'the plan' } })
    return { answered: answer }
  },
})

/** Always fails. */
const fail = defineFlow({
  name: 'fail',
  summary: 'Fails',
  inputs: z.object({}),
  run() {
    throw new Error('on purpose')
  },
})

/** Reads the files that it is given, and makes one. */
const read = defineFlow({
  name: 'read',
  summary: 'Reads files',
  inputs: z.object({ doc: file({ accept: ['.txt', '.md'] }), more: files({ max: 5 }).optional() }),
  async run({ doc, more = [] }, ctx) {
    const texts = await Promise.all([doc, ...more].map((path) => ctx.files.text(path)))
    await ctx.step('write', () => ctx.files.write('made/report.md', texts.join('|')))
    return { paths: [doc, ...more], texts }
  },
})

/** Asks a person for a file and reads it. */
const askFile = defineFlow({
  name: 'ask-file',
  summary: 'Asks for a file',
  inputs: z.object({}),
  async run(_inputs, ctx) {
    const { signed } = await ctx.lock('sign', { form: z.object({ signed: file() }) })
    return { signed, text: await ctx.files.text(signed) }
  },
})

/** One step with a result of so many KiB. */
const large = defineFlow({
  name: 'large',
  summary: 'Gives a large result',
  inputs: z.object({ kib: z.number().int().min(1) }),
  async run({ kib }, ctx) {
    const text = await ctx.step('make', () => 'x'.repeat(kib * 1024))
    return text.length
  },
})

/** Two steps, the first with a file. */
const adds = defineFlow({
  name: 'adds',
  summary: 'Adds in two steps',
  inputs: z.object({ n: z.number() }),
  async run({ n }, ctx) {
    const one = await ctx.step('one', async () => {
      await ctx.files.write('out/one.txt', 'one')
      return n
    })
    return { one, two: await ctx.step('two', () => n * 2) }
  },
})

/** Asks those who are named. */
const askPeople = defineFlow({
  name: 'ask-people',
  summary: 'Asks whom it is told to',
  inputs: z.object({ assignees: z.array(z.string()), roles: z.array(z.enum(['viewer', 'user', 'operator'])) }),
  run: ({ assignees, roles }, ctx) => ctx.lock('approve', { form: z.object({ go: z.boolean() }), assignees, roles }),
})

/** Spends 1 in each of its steps. */
const spend = defineFlow({
  name: 'spend',
  summary: 'Spends',
  inputs: z.object({ calls: z.number().int() }),
  async run({ calls }, ctx) {
    for (let key = 1; key <= calls; key += 1)
      await ctx.step('ask', { key }, () => ctx.model({ provider: 'acme', model: 'large', duration: 1, tokens: { output: 7 }, cost: 1 }))
  },
})

/** Answers in conversations by the model of the environment; `deploy` needs a person's leave. */
const chat = defineChatFlow({
  name: 'chat',
  summary: 'Answers',
  tools: {
    look: chatTool({ description: 'Looks', input: z.object({}), run: () => 'seen' }),
    deploy: chatTool({ description: 'Deploys', input: z.object({ to: z.string() }), approve: true, run: ({ to }) => `deployed to ${to}` }),
  },
})
const compress = defineCompressFlow({ name: 'chat-compress' })

/** The flows that tests start. */
export const TEST_FLOWS = [hello, ask, adds, fail, large, read, askFile, askPeople, spend, chat, compress]
