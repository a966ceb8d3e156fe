import { setTimeout as delay } from 'node:timers/promises'
import type { TemporalWorld } from '../temporal-world.ts'
import type { Nemesis } from '../world.ts'

/** kill -9 of a worker in the middle of its tries; another one comes. */
export const workerKilled: Nemesis<TemporalWorld> = {
  kind: 'worker killed',
  victim: 'workers',
  // One that was at no try leaves no more than the line of its successor.
  trace: /timeline attempt recover|worker \S+ serves /,
  forgets: 'writer',
  async strike({ workers }, dice) {
    const worker = dice.oneOf(workers)
    await worker.kill()
    await delay(dice.hold(500, 20_000))
    await worker.start()
  },
}

/** A worker stands still for longer than anybody waits for it, and wakes as a zombie. */
export const workerFrozen: Nemesis<TemporalWorld> = {
  kind: 'worker frozen',
  victim: 'workers',
  trace: /stood still/,
  async strike({ workers }, dice) {
    const worker = dice.oneOf(workers)
    worker.freeze()
    await delay(dice.hold(6000, 40_000))
    worker.thaw()
  },
}

/** Somebody sets the clock of a worker's machine a minute and a half back. */
export const clockStepped: Nemesis<TemporalWorld> = {
  kind: 'clock of a worker stepped',
  victim: 'workers',
  trace: /the clock of this machine was set/,
  async strike({ workers }, dice) {
    dice.oneOf(workers).signal('SIGUSR2')
    await delay(dice.hold(1000, 5000))
  },
}

/** kill -9 of Temporal; what it had written is there again. Away for longer than a call waits, so that it is missed. */
export const temporalRestarted: Nemesis<TemporalWorld> = {
  kind: 'Temporal restarted',
  victim: 'temporal',
  trace: /Temporal does not answer/,
  async strike({ temporal }, dice) {
    await temporal.kill()
    await delay(dice.hold(8000, 20_000))
    await temporal.restart()
  },
}
