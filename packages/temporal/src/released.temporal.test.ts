// Goal: however often a run is handed from one worker to the next, it goes on where it was and its history stays small. Method: real servers, workers that stop one after the other in the middle of the run, a limit
// that one hand-over is above.
import { isEnded, ORIGIN } from '@koco/core'
import { ofThisWorker } from '@koco/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createTemporalLauncher } from './client/launcher.ts'
import { historyFlows } from './testing/flows.ts'
import { openRig, type TemporalRig } from './testing/open-launcher.ts'

const HAND_OVERS = 2

let rig: TemporalRig
beforeAll(async () => {
  rig = await openRig({ temporal: ofThisWorker(inject('temporalAddresses')), redis: inject('redisUrl') })
})
afterAll(() => rig.close())

test('a run that workers hand on continues as new above the limit, and makes no step twice', async () => {
  const startWorker = () => rig.startWorker(historyFlows(), { graceMs: 5000 })
  let worker = await startWorker()
  const launcher = createTemporalLauncher({ ...rig, historyMax: 3 })
  const { fid } = await launcher.start({ flow: 'pages', inputs: {}, user: 'ada', idempotencyKey: null })
  const workflow = rig.server.client.workflow.getHandle(`${rig.settings.workflowIdPrefix}${fid}`)
  const chain = new Set([(await workflow.describe()).runId])
  for (let attempt = 1; attempt <= HAND_OVERS; attempt += 1) {
    await rig.until(fid, (run) => run.attempt === attempt && run.status === 'running')
    const next = await startWorker()
    await worker.close()
    worker = next
    await rig.until(fid, (run) => run.attempt > attempt)
    chain.add((await workflow.describe()).runId)
  }
  expect(await rig.until(fid, ({ status }) => isEnded(status))).toMatchObject({ status: 'finished', attempt: 1 + HAND_OVERS, final: { value: 'read' } })
  expect(chain.size).toBe(1 + HAND_OVERS)
  const { records } = await rig.store.reader.read(fid, { after: ORIGIN, limit: 1000, kinds: ['step'] })
  expect(records.filter(({ data }) => (JSON.parse(data) as { phase: string }).phase === 'finished')).toHaveLength(100)
})
