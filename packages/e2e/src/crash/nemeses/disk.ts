import { setTimeout as delay } from 'node:timers/promises'
import type { EmbeddedWorld } from '../embedded-world.ts'
import type { Nemesis } from '../world.ts'

/** The disk under SQLite has not a byte left, until somebody makes room. */
export const diskFull: Nemesis<EmbeddedWorld> = {
  kind: 'disk full under SQLite',
  victim: 'disk',
  trace: /The disk is full|"store":"store_unavailable"/,
  async strike({ disk }, dice) {
    disk.fill()
    await delay(dice.hold(3000, 20_000))
    disk.free()
  },
}
