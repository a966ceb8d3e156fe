import type { Drilled } from './drill.ts'
import type { ServerName } from './links.ts'
import { demand } from './worker-drills.ts'
import type { World } from './world.ts'

const WORK = { steps: 50, stepMs: 200 }
/** Events that must have come meanwhile. */
const EVENTS = 100

/** The spooler dies in the middle: the run goes on, its events wait in the stream, the next spooler stores them. */
export async function killSpooler(world: World): Promise<Drilled> {
  const worker = await world.startWorker()
  const fid = await world.startRun(WORK, 5)
  await world.restartSpooler('SIGKILL', async () => {
    const before = world.acknowledged(fid).length
    const untilMore = (count: number) => world.until('events without a spooler', async () => world.acknowledged(fid).length >= before + count)
    // What it had asked the store to commit when it died may be stored only now; half of the events later that is over.
    await untilMore(EVENTS / 2)
    const { lastPosition } = await world.run(fid)
    await untilMore(EVENTS)
    demand((await world.run(fid)).lastPosition.seq === lastPosition.seq, 'something was stored while no spooler ran')
  })
  await world.untilStatus(fid, 'finished')
  await worker.signal('SIGTERM')
  return { fid, note: `spooler killed: the run went on, over ${EVENTS} events waited in the stream, the next spooler stored them` }
}

/** A server goes away in the middle and comes back: the run waits or goes on, and ends as if nothing had been. */
export async function takeAway(world: World, server: ServerName): Promise<Drilled> {
  const worker = await world.startWorker()
  const fid = await world.startRun(WORK, 5)
  const how = await world.links.takeAway(server)
  demand(worker.alive, 'the worker ended')
  await world.untilStatus(fid, 'finished')
  await worker.signal('SIGTERM')
  return { fid, note: `${how}; the run went on and finished` }
}
