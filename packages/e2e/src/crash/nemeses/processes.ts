import { setTimeout as delay } from 'node:timers/promises'
import type { DistributedWorld } from '../distributed-world.ts'
import type { Nemesis } from '../world.ts'

/** kill -9 of a spooler in the middle of its batches; it comes again under its name. */
export const spoolerKilled: Nemesis<DistributedWorld> = {
  kind: 'spooler killed',
  victim: 'spoolers',
  trace: /did not end in order last time/,
  async strike({ spoolers }, dice) {
    const spooler = dice.oneOf(spoolers)
    await spooler.kill()
    await delay(dice.hold(500, 20_000))
    await spooler.start()
  },
}

/** A spooler stands still for longer than its leases hold, and wakes as a zombie with a batch in its hands. */
export const spoolerFrozen: Nemesis<DistributedWorld> = {
  kind: 'spooler frozen',
  victim: 'spoolers',
  trace: /stood still/,
  async strike({ spoolers }, dice) {
    const spooler = dice.oneOf(spoolers)
    spooler.freeze()
    await delay(dice.hold(17_000, 40_000))
    spooler.thaw()
  },
}

/** kill -9 of the process that serves people and executes runs. */
export const panelKilled: Nemesis<DistributedWorld> = {
  kind: 'panel killed',
  victim: 'panel',
  trace: /readyz: no answer/,
  forgets: 'writer',
  async strike({ panel }, dice) {
    await panel.kill()
    await delay(dice.hold(300, 10_000))
    await panel.start()
  },
}

/** The same process stands still and goes on. */
export const panelFrozen: Nemesis<DistributedWorld> = {
  kind: 'panel frozen',
  victim: 'panel',
  trace: /stood still/,
  async strike({ panel }, dice) {
    panel.freeze()
    await delay(dice.hold(5000, 40_000))
    panel.thaw()
  },
}
