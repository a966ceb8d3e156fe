import { z } from 'zod'
import { defineFlow, type Flow } from '../flow.ts'

/** What the flows of the contract did, counted in the test's process, and gates that the test opens. */
export class Workshop {
  readonly done: string[] = []
  readonly #gates = new Map<string, PromiseWithResolvers<void>>()
  readonly #reached = new Map<string, PromiseWithResolvers<void>>()

  /** Called by a flow: waits until the test opens the gate. */
  pass(gate: string): Promise<void> {
    slot(this.#reached, gate).resolve()
    return slot(this.#gates, gate).promise
  }

  /** Resolves when a flow has come to the gate. */
  reached(gate: string): Promise<void> {
    return slot(this.#reached, gate).promise
  }

  open(gate: string): void {
    slot(this.#gates, gate).resolve()
  }
}

/** The flows that the contract runs. Their inputs name the gates, so that tests do not meet. */
export function contractFlows(shop: Workshop): readonly Flow[] {
  const inputs = z.object({ n: z.number().int().min(1).default(1), gate: z.string().default('') })
  const flow = (name: string, run: Parameters<typeof defineFlow<typeof inputs>>[0]['run']): Flow =>
    defineFlow({ name, summary: `Contract: ${name}`, tags: ['contract'], inputs, run })
  const work = (name: string) => () => shop.done.push(name)
  return [
    flow('plain', async ({ n }, ctx) => {
      const parts = [await ctx.step('a', () => n), await ctx.step('b', () => n * 10), await ctx.step('c', () => n * 100)]
      return ctx.markdown(`# ${parts.join(' ')}`)
    }),
    flow('fails', () => {
      throw Object.assign(new RangeError('out of luck'), { code: 'E_LUCK' })
    }),
    flow('asks', async ({ gate }, ctx) => {
      await ctx.step('before', work(`${gate} before`))
      const { go } = await ctx.lock('approve', { form: z.object({ go: z.boolean() }), data: { gate } })
      return { go, after: await ctx.step('after', () => 'done') }
    }),
    flow('escalates', async (_inputs, ctx) => {
      const { go } = await ctx.lock('approve', {
        form: z.object({ go: z.boolean() }),
        escalate: [
          { after: 400, assignees: ['bob'] },
          { after: 800, roles: ['operator'] },
        ],
      })
      return go
    }),
    flow('spends', async ({ n }, ctx) => {
      for (let i = 1; i <= n; i += 1) {
        const tokens = { input_uncached: 600, output: 400 }
        await ctx.step('ask', { key: i }, () => ctx.model({ provider: 'acme', model: 'large', duration: 20, tokens, cost: 1 }))
      }
      return n
    }),
    flow('reads', async ({ n, gate }, ctx) => {
      const text = await ctx.step('read', () => {
        shop.done.push(`${gate} read`)
        return largeText(n)
      })
      await ctx.lock('approve', { form: z.object({ go: z.boolean() }), data: { gate } })
      const again = await ctx.step('again', () => text)
      return `${text.length} ${text === again} ${text.slice(-20)}`
    }),
    flow('sleeps', async (_inputs, ctx) => {
      await ctx.sleep(400)
      return 'awake'
    }),
    flow('gated', async ({ gate }, ctx) => {
      await ctx.step('one', work(`${gate} one`))
      await ctx.step('two', ({ signal }) => Promise.race([shop.pass(gate), aborted(signal)]))
      return ctx.step('three', () => shop.done.push(`${gate} three`))
    }),
    flow('fails-once', async ({ gate }, ctx) => {
      await ctx.step('one', work(`${gate} one`))
      await ctx.step('two', () => {
        shop.done.push(`${gate} two`)
        if (shop.done.filter((done) => done === `${gate} two`).length === 1) throw new Error('not this time')
      })
      return 'at last'
    }),
  ]
}

/** A text of so many KiB in which no two pieces are alike. */
export function largeText(kib: number): string {
  return Array.from({ length: kib * 32 }, (_, i) => `${i}`.padStart(32, 'é is two bytes; '))
    .join('')
    .slice(0, kib * 1024)
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
  })
}

function slot(slots: Map<string, PromiseWithResolvers<void>>, name: string): PromiseWithResolvers<void> {
  const found = slots.get(name) ?? Promise.withResolvers<void>()
  slots.set(name, found)
  return found
}
