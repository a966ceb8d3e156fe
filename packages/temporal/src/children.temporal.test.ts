// Goal: what a run starts is a child workflow of its workflow, also when the worker died before it could tell so. Method: a real Temporal server; the death is a child that stands in the store and that no workflow
// was told of, and a worker that stops in the middle of the parent's try.
import { newFid } from '@koco/core'
import { defineFlow, type Launcher } from '@koco/flow'
import { ofThisWorker } from '@koco/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { createTemporalLauncher } from './client/launcher.ts'
import { openRig, type TemporalRig } from './testing/open-launcher.ts'

const reached = Promise.withResolvers<void>()
const gate = Promise.withResolvers<void>()
const child = defineFlow({ name: 'child', summary: 'A child', inputs: z.object({}), run: () => 'done' })
const flows = [
  child,
  defineFlow({ name: 'parent', summary: 'Starts a child', inputs: z.object({}), run: async (_inputs, ctx) => ctx.wait(await ctx.start(child, {})) }),
  defineFlow({
    name: 'gated',
    summary: 'Waits in a step',
    inputs: z.object({}),
    run: (_inputs, ctx) =>
      ctx.step('wait', () => {
        reached.resolve()
        return gate.promise
      }),
  }),
]

let rig: TemporalRig
let launcher: Launcher
beforeAll(async () => {
  rig = await openRig({ temporal: ofThisWorker(inject('temporalAddresses')), redis: inject('redisUrl') })
  launcher = createTemporalLauncher(rig)
})
afterAll(async () => {
  gate.resolve()
  await launcher.close(0)
  await rig.close()
})

const workflowOf = (fid: string) => `${rig.settings.workflowIdPrefix}${fid}`
const start = async (flow: string): Promise<string> => (await launcher.start({ flow, inputs: {}, user: 'ada', idempotencyKey: null })).fid
const finished = (fid: string) => rig.until(fid, ({ status }) => status === 'finished')
const parentWorkflowOf = async (fid: string): Promise<string | null | undefined> => {
  const { raw } = await rig.server.client.workflow.getHandle(workflowOf(fid)).describe()
  return raw.workflowExecutionInfo?.parentExecution?.workflowId
}

test('a child is a child workflow, started once', async () => {
  const worker = await rig.startWorker(flows)
  const fid = await start('parent')
  expect(await finished(fid)).toMatchObject({ final: { value: 'done' } })
  const [only, ...others] = await rig.store.runs.children(fid, null, 10)
  expect([await parentWorkflowOf(only?.fid ?? ''), others]).toEqual([workflowOf(fid), []])
  await worker.close()
})

test('a child that the workflow was not told of is started by the next try', async () => {
  const worker = await rig.startWorker(flows)
  const fid = await start('gated')
  await reached.promise
  const untold = newFid(Date.now(), crypto.getRandomValues(new Uint8Array(8)))
  const about = { flow: 'child', version: null, user: 'ada', summary: 'A child', tags: [], parent: fid, inputs: {}, createdAt: Date.now() / 1000 }
  await rig.store.runs.create({ fid: untold, ...about, launcher: 'temporal', idempotencyKey: null })
  await worker.close()
  await rig.startWorker(flows)
  expect(await finished(untold)).toMatchObject({ final: { value: 'done' } })
  expect(await parentWorkflowOf(untold)).toBe(workflowOf(fid))
})
