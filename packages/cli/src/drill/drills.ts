import type { Drill } from './drill.ts'
import { cancelWhileWaiting, terminateInTemporal } from './people-drills.ts'
import { killSpooler, takeAway } from './server-drills.ts'
import { killWorker, noWorkers, zombie } from './worker-drills.ts'

/** All drills in the order in which they run. */
export const drills: readonly Drill[] = [
  { name: 'worker', about: 'kill -9 a worker in mid-step while another stands by', run: killWorker },
  { name: 'no-workers', about: 'kill -9 the only worker, leave the run alone for a while, start a new worker', run: noWorkers },
  { name: 'zombie', about: 'stop a worker until its run has gone on elsewhere, then wake it', run: zombie },
  { name: 'spooler', about: 'kill -9 the spooler in the middle, start it again', run: killSpooler },
  { name: 'redis', about: 'take Redis away in the middle', server: 'redis', run: (world) => takeAway(world, 'redis') },
  { name: 'postgres', about: 'take Postgres away in the middle', server: 'postgres', run: (world) => takeAway(world, 'postgres') },
  { name: 'temporal', about: 'take Temporal away in the middle', server: 'temporal', run: (world) => takeAway(world, 'temporal') },
  { name: 'terminate', about: 'terminate the workflow in Temporal in mid-step, compare with koco doctor --reconcile', run: terminateInTemporal },
  { name: 'cancel', about: 'cancel a run that waits for a person', run: cancelWhileWaiting },
]
