import { isEnded } from '@koco/core'
import type { Drilled } from './drill.ts'
import { demand } from './worker-drills.ts'
import type { World } from './world.ts'

/** Somebody terminates the workflow on Temporal's page: no try can say so, the reconciler does. */
export async function terminateInTemporal(world: World): Promise<Drilled> {
  const { reconcileNow, terminateWorkflow, workflowState } = await import('@koco/temporal')
  const worker = await world.startWorker()
  const fid = await world.startRun({ steps: 100, stepMs: 200 }, 3)
  await terminateWorkflow(world.temporal, world.workflowId(fid), 'koco drill')
  await world.until('the reconciler to find it', async () => {
    await reconcileNow({ server: world.temporal, store: world.store, transport: world.transport, launcher: world.launcher })
    return isEnded((await world.run(fid)).status)
  })
  await world.untilStatus(fid, 'cancelled')
  const state = await workflowState(world.temporal, world.workflowId(fid))
  demand(state.is === 'closed' && state.how === 'terminated', 'the workflow is not terminated')
  demand(worker.alive, 'the worker ended')
  await worker.signal('SIGTERM')
  return { fid, note: 'terminated in Temporal in mid-step: the reconciler ended the run as cancelled, in an epoch above that of its last try' }
}

/** Somebody cancels a run that waits: nothing runs, and yet it ends at once, here and in Temporal. */
export async function cancelWhileWaiting(world: World): Promise<Drilled> {
  const { workflowState } = await import('@koco/temporal')
  const worker = await world.startWorker()
  const fid = await world.startRun({ steps: 2, stepMs: 0, asks: true }, 2)
  await world.untilStatus(fid, 'awaiting')
  const askedAt = performance.now()
  await world.launcher.cancel(fid, 'drill', 'koco drill')
  await world.untilStatus(fid, 'cancelled')
  const seconds = ((performance.now() - askedAt) / 1000).toFixed(1)
  await world.until('Temporal to have it cancelled', async () => {
    const state = await workflowState(world.temporal, world.workflowId(fid))
    return state.is === 'closed' && state.how === 'cancelled'
  })
  await worker.signal('SIGTERM')
  return { fid, note: `cancelled while it waited for a person: over after ${seconds} s, cancelled in Temporal too` }
}
