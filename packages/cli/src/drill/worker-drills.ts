import { setTimeout as delay } from 'node:timers/promises'
import { UnavailableError } from '@koco/core'
import type { Drilled } from './drill.ts'
import type { DrillProcess } from './process.ts'
import type { World } from './world.ts'

const WORK = { steps: 30, stepMs: 200 }
/** How long nobody is there. */
const ALONE_MS = 5000

/** One worker dies in mid-step, another takes its run up. */
export async function killWorker(world: World): Promise<Drilled> {
  const { fid, first, second } = await startBetweenTwo(world)
  const { lastPosition } = await world.run(fid)
  const steps = await world.finishedSteps(fid)
  const killedAt = Date.now() / 1000
  await first.signal('SIGKILL')
  const { at, owner } = await world.nextTry(fid, lastPosition.epoch)
  demand(owner.includes(`/${second.pid}/`), `the next try was made by ${owner}, not by the worker that stood by`)
  await world.untilStatus(fid, 'finished')
  await second.signal('SIGTERM')
  return {
    fid,
    note: `worker killed after ${steps} of ${WORK.steps} steps; ${(at - killedAt).toFixed(1)} s later the other worker was at the next step; no finished step was made again`,
  }
}

/** The only worker dies; Temporal shows the run as Running until another comes. */
export async function noWorkers(world: World): Promise<Drilled> {
  const only = await world.startWorker()
  const fid = await world.startRun(WORK, 5)
  const steps = await world.finishedSteps(fid)
  await only.signal('SIGKILL')
  await delay(ALONE_MS)
  const { workflowState } = await import('@koco/temporal')
  const { is } = await workflowState(world.temporal, world.workflowId(fid))
  const { status } = await world.run(fid)
  demand(is === 'open' && status === 'running', `without workers the workflow is ${is} and the run ${status}`)
  const next = await world.startWorker()
  await world.untilStatus(fid, 'finished')
  await next.signal('SIGTERM')
  return {
    fid,
    note: `${ALONE_MS / 1000} s without a worker after ${steps} of ${WORK.steps} steps: Running in Temporal, running here; a new worker finished it`,
  }
}

/** A worker freezes, its run goes on elsewhere, it wakes up: it must write nothing more and live on. */
export async function zombie(world: World): Promise<Drilled> {
  const { fid, first, second } = await startBetweenTwo(world)
  const { lastPosition } = await world.run(fid)
  await first.signal('SIGSTOP')
  const { owner } = await world.nextTry(fid, lastPosition.epoch)
  demand(owner.includes(`/${second.pid}/`), `the next try was made by ${owner}, not by the other worker`)
  await world.untilSteps(fid, (await world.finishedSteps(fid)) + 2)
  await first.signal('SIGCONT')
  await world.untilStatus(fid, 'finished')
  await second.signal('SIGTERM')
  const another = await world.startRun({ steps: 1, stepMs: 0 }, 1)
  await world.untilStatus(another, 'finished')
  demand(first.alive, 'the worker that had been stopped has ended')
  await first.signal('SIGTERM')
  return { fid, note: 'the stopped worker woke up to a run that had gone on elsewhere: it wrote nothing more into it, lived on and made another run' }
}

/** A run in the middle, the worker that is at it, and one that stands by. Both are there before it: a worker may take longer to start than the run to its end. */
async function startBetweenTwo(world: World): Promise<{ readonly fid: string; readonly first: DrillProcess; readonly second: DrillProcess }> {
  const [one, other] = await Promise.all([world.startWorker(), world.startWorker()])
  const fid = await world.startRun(WORK, 5)
  const owner = await world.ownerOf(fid)
  return owner.includes(`/${one.pid}/`) ? { fid, first: one, second: other } : { fid, first: other, second: one }
}

/** What must hold in a drill; else it has failed, in these words. */
export function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new UnavailableError(`It did not go as it should: ${otherwise}.`, { code: 'drill_failed' })
}
