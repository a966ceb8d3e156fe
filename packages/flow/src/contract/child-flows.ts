import { z } from 'zod'
import type { ChildRun } from '../context.ts'
import { ChildRunError } from '../errors.ts'
import { defineFlow, type Flow } from '../flow.ts'
import type { Workshop } from './flows.ts'

/** The flows of which runs start each other. Their inputs name the gates, so that tests do not meet. */
export function familyFlows(shop: Workshop): readonly Flow[] {
  const inputs = z.object({ n: z.number().int().min(0).default(1), gate: z.string().default('') })
  const flow = (name: string, run: Parameters<typeof defineFlow<typeof inputs>>[0]['run']): Flow =>
    defineFlow({ name, summary: `Contract: ${name}`, inputs, run })
  const double = flow('double', async ({ n }, ctx) => ctx.step('double', () => n * 2))
  return [
    double,
    flow('gated-child', async ({ gate }, ctx) => {
      await ctx.step('before', () => shop.done.push(`${gate} before`))
      await ctx.step('wait', ({ signal }) => Promise.race([shop.pass(gate), aborted(signal)]))
      return `${gate} is open`
    }),
    flow('fails-once-child', async ({ gate }, ctx) => {
      await ctx.step('once', () => {
        if (shop.done.push(`${gate} tried`) && shop.done.filter((done) => done === `${gate} tried`).length === 1) throw new RangeError('not this time')
      })
      return 'at last'
    }),
    defineFlow({
      name: 'slow-child',
      summary: 'Contract: works longer than it may',
      inputs,
      timeout: '1s',
      run: (_inputs, ctx) => ctx.step('work', ({ signal }) => aborted(signal)),
    }),
    flow('asking-child', async (_inputs, ctx) => ctx.lock('how many')),
    flow('sum', async ({ n }, ctx) => {
      const children: ChildRun[] = []
      for (let i = 1; i <= n; i += 1) children.push(await ctx.start(double, { n: i }, { key: i }))
      const results = await ctx.wait(children)
      return results.reduce((sum: number, result) => sum + Number(result), 0)
    }),
    flow('waits', async ({ gate }, ctx) => ctx.wait(await ctx.start('gated-child', { gate }))),
    flow('waits-for-waits', async ({ gate }, ctx) => ctx.wait(await ctx.start('waits', { gate }))),
    flow('waits-for-answer', async (_inputs, ctx) => ctx.wait(await ctx.start('asking-child', {}))),
    flow('leaves', async ({ gate }, ctx) => (await ctx.start('gated-child', { gate })).fid),
    flow('waits-for-slow', async (_inputs, ctx) => ctx.wait(await ctx.start('slow-child', {}))),
    flow('catches-slow', async (_inputs, ctx) => {
      const child = await ctx.start('slow-child', {})
      return ctx.wait(child).catch((error: unknown) => told(error, child))
    }),
    flow('waits-for-failing', async ({ gate }, ctx) => ctx.wait(await ctx.start('fails-once-child', { gate }))),
    flow('catches', async ({ gate }, ctx) => {
      const child = await ctx.start('fails-once-child', { gate })
      const other = await ctx.start('double', { n: 4 })
      try {
        return await ctx.wait([child, other])
      } catch (error) {
        return { ...told(error, child), other: await ctx.wait(other) }
      }
    }),
    flow('refused', async (_inputs, ctx) => {
      const codes: unknown[] = []
      for (const [of, given] of [
        ['nowhere', {}],
        ['double', { n: -1 }],
      ] as const) {
        await ctx.start(of, given).catch((error: { code: unknown }) => codes.push(error.code))
      }
      return codes
    }),
  ]
}

/** What a flow can tell of a child that did not finish. */
function told(error: unknown, child: ChildRun) {
  if (!(error instanceof ChildRunError)) throw error
  const { child: fid, flow: of, status, error: its, code } = error
  return { ours: fid === child.fid, of, status, its, code }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
  })
}
