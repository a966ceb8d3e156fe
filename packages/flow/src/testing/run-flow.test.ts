// Goal: flow authors can test flows without any server. Method: flows of every kind run through runFlow; what they emit and how they end is compared.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineFlow, type FlowContext } from '../index.ts'
import { createTestContext, EXPIRE, runFlow } from './index.ts'

function flowOf(run: (inputs: { n: number }, ctx: FlowContext) => unknown) {
  return defineFlow({ name: 'under-test', summary: 'Tests', inputs: z.object({ n: z.number().default(1) }), run })
}

test('a plain run emits attempt, starting, inputs, meta, running, its steps, final and finished', async () => {
  const flow = flowOf(async ({ n }, ctx) => {
    const a = await ctx.step('one', () => n + 1)
    return ctx.markdown(`got ${a}`)
  })
  const run = await runFlow(flow, {})
  expect(run.status).toBe('finished')
  expect(run.final).toEqual({ type: 'markdown', value: 'got 2' })
  expect(run.events.map(({ kind }) => kind)).toEqual(['attempt', 'status', 'inputs', 'meta', 'status', 'step', 'step', 'final', 'status'])
})

test('sleeps are skipped, locks answered, and finished steps are not done again after a wait', async () => {
  let calls = 0
  const flow = flowOf(async (_inputs, ctx) => {
    await ctx.step('count', () => (calls += 1))
    const before = ctx.now()
    await ctx.sleep('3h')
    const ok = await ctx.lock('approve', { form: z.object({ go: z.boolean() }) })
    return { go: ok.go, waited: ctx.now() - before, undef: await ctx.step('nothing', () => undefined) }
  })
  const run = await runFlow(flow, { n: 2 }, { answers: { approve: { go: false } } })
  expect(run.error).toBeNull()
  expect(run.final).toEqual({ type: 'json', value: { go: false, waited: 3 * 3_600_000 } })
  expect([calls, run.tries]).toEqual([1, 2])
})

test('a lock without an answer is refused with the remedy, and EXPIRE lets it expire', async () => {
  const flow = flowOf((_inputs, ctx) => ctx.lock('approve', { timeout: '1h' }))
  await expect(runFlow(flow, {})).rejects.toThrow('Lock "approve" was asked and the test has no answer')
  const run = await runFlow(flow, {}, { answers: { approve: EXPIRE } })
  expect(run.error).toMatchObject({ name: 'LockExpiredError', code: 'lock_expired' })
  const mild = flowOf(async (_inputs, ctx) => ({ answer: (await ctx.lock('approve', { timeout: '1h', onExpire: 'continue' })) ?? 'none' }))
  expect((await runFlow(mild, {}, { answers: { approve: EXPIRE } })).final?.value).toEqual({ answer: 'none' })
})

test('null, false and empty texts are answers', async () => {
  const flow = flowOf(async (_inputs, ctx) => [await ctx.lock('a'), await ctx.lock('b'), await ctx.lock('c')])
  expect((await runFlow(flow, {}, { answers: { a: null, b: false, c: '' } })).final?.value).toEqual([null, false, ''])
})

test('a context without a run does steps, answers locks and records events', async () => {
  const { ctx, events } = createTestContext({ answers: { name: 'Ada' } })
  expect(await ctx.step('add', () => 1 + 1)).toBe(2)
  await ctx.sleep('1d')
  expect(await ctx.lock('name')).toBe('Ada')
  ctx.progress(1, 2)
  await ctx.step('last', () => null)
  expect(events().map(({ kind }) => kind)).toEqual(['step', 'step', 'sleep', 'sleep', 'lock', 'lease', 'progress', 'step', 'step'])
})

test('child runs are run to their end, or a function stands for them', async () => {
  const half = defineFlow({ name: 'half', summary: 'Halves', inputs: z.object({ n: z.number() }), run: ({ n }) => n / 2 })
  const flow = flowOf(async (_inputs, ctx) => ctx.wait([await ctx.start(half, { n: 8 }), await ctx.start('by-name', { n: 8 })]))
  const run = await runFlow(flow, {}, { children: { 'by-name': () => 'stood for' } })
  expect(run.final?.value).toEqual([4, 'stood for'])
  expect(run.children).toMatchObject([
    { flow: 'half', inputs: { n: 8 } },
    { flow: 'by-name', inputs: { n: 8 } },
  ])
  expect((await runFlow(flow, {})).error).toMatchObject({ code: 'no_child' })
  const broken = await runFlow(flow, {}, { children: { half: () => Promise.reject(new TypeError('no half')), 'by-name': half } })
  expect(broken.error).toMatchObject({ name: 'ChildRunError', message: expect.stringContaining('flow "half" ended as error: no half') as string })
})
