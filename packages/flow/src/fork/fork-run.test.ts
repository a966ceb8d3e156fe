// Goal: wherever a run is forked, the fork ends as the original did when nothing is edited, and does again only what had not finished. Method: random flows (steps, failing ones, values, sleeps, groups, output), run to
// their end; a fork at every position of each, all at once.
import { randomBytes } from 'node:crypto'
import { within } from '@koco/testing'
import fc from 'fast-check'
import { z } from 'zod'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCatalog } from '../catalog.ts'
import { wholeTimeline } from '../contract/describe-fork.ts'
import { newDir, openEmbedded, type Ground } from '../contract/embedded.ts'
import { runEnd } from '../contract/under-test.ts'
import { createDirectLauncher } from '../direct/launcher.ts'
import { defineFlow } from '../flow.ts'
import type { Launcher } from '../launcher.ts'
import { forkRun } from './fork-run.ts'

const TEST_MS = 120_000

type Op = { readonly do: 'step' | 'shaky' | 'say' | 'value' | 'sleep' | 'group'; readonly n: number }

const someOp: fc.Arbitrary<Op> = fc.record({ do: fc.constantFrom('step', 'shaky', 'say', 'value', 'sleep', 'group'), n: fc.nat(9) })
const done = new Map<string, number>()

const program = defineFlow({
  name: 'program',
  summary: 'Does what its inputs say',
  inputs: z.object({ ops: z.array(z.object({ do: z.enum(['step', 'shaky', 'say', 'value', 'sleep', 'group']), n: z.number() })) }),
  async run({ ops }, ctx) {
    const results: unknown[] = []
    const work = (n: number) => {
      done.set(ctx.fid, (done.get(ctx.fid) ?? 0) + 1)
      return n * 2
    }
    for (const [i, op] of ops.entries()) {
      if (op.do === 'step') results.push(await ctx.step(`step ${op.n}`, () => work(op.n)))
      if (op.do === 'say') ctx.markdown(`said ${op.n}`)
      if (op.do === 'value') results.push(typeof ctx.uuid())
      if (op.do === 'sleep') await ctx.sleep(1)
      if (op.do === 'group') results.push(await ctx.group(`group ${i}`, async () => ctx.step('inner', () => work(op.n))))
      if (op.do === 'shaky') {
        const once = { tries: 0 }
        const shaky = () => {
          if (once.tries++ === 0) throw new Error('not yet')
          return work(op.n)
        }
        results.push(await ctx.step('shaky', { retries: { max: 2, delay: 1 } }, shaky))
      }
    }
    return { results }
  },
})

let ground: Ground
let launcher: Launcher
let remove: () => Promise<void>
beforeAll(async () => {
  const made = await newDir()
  remove = made.remove
  ground = await openEmbedded(made.dir)
  launcher = await createDirectLauncher({ catalog: createCatalog([program]), store: ground.store, transport: ground.transport })
})
afterAll(async () => {
  await launcher.close(1000)
  await ground.close()
  await remove()
})

test('forked at any position, a run ends as the original, and what had finished is not done again', { timeout: TEST_MS }, async () => {
  const property = fc.asyncProperty(fc.array(someOp, { minLength: 1, maxLength: 6 }), async (ops) => {
    const { store } = ground
    const { fid } = await launcher.start({ flow: 'program', inputs: { ops }, user: 'ada', idempotencyKey: null })
    const original = await runEnd(store, fid)
    const events = await wholeTimeline(store, fid)
    const deps = { store, launcher, clock: { now: Date.now }, randomBytes, copyFiles: async () => undefined }
    const forks = await Promise.all(events.map(async ({ epoch, seq }) => await forkRun(deps, { fid, at: { epoch, seq }, user: 'ada', edits: {} })))
    for (const { fid: forked, plan } of forks) {
      const run = await runEnd(store, forked)
      expect(run).toMatchObject({ status: original.status, final: original.final, inputs: original.inputs })
      expect(done.get(forked) ?? 0).toBe(plan.again.length)
      expect((await store.keeper.refold([{ fid: forked, home: null }], { mode: 'decided', write: false, launcher: '' }))[0]?.differs).toEqual([])
    }
    expect(await wholeTimeline(store, fid)).toEqual(events)
  })
  await fc.assert(property, { numRuns: 6, endOnFailure: true, ...within(TEST_MS) })
})
