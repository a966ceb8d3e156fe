import { setTimeout as delay } from 'node:timers/promises'
import type { DistributedWorld } from '../distributed-world.ts'
import type { Nemesis } from '../world.ts'

const LINKS = ['panelToRedis', 'spoolersToRedis', 'spoolersToPostgres'] as const

/** Requests are carried out and their replies lost, then the link is cut: nobody knows what was done. */
export const repliesLost: Nemesis<DistributedWorld> = {
  kind: 'link cut before the reply',
  victim: 'links',
  trace: /did not answer|cannot be used now|was lost and is back/,
  async strike({ links }, dice) {
    for (let times = dice.between(2, 4); times > 0; times--) {
      const link = links[dice.oneOf(LINKS)]
      const swallowed = link.dropReplies()
      await Promise.race([swallowed, delay(2000)])
      await delay(dice.hold(100, 3000))
      link.heal()
      await delay(dice.between(100, 500))
    }
  },
}

/** Links are cut between any two packets, again and again. */
export const linkCut: Nemesis<DistributedWorld> = {
  kind: 'link cut after the reply',
  victim: 'links',
  trace: /did not answer|cannot be used now|was lost and is back/,
  async strike({ links }, dice) {
    for (let times = dice.hold(12, 60); times > 0; times--) {
      links[dice.oneOf(LINKS)].cut()
      await delay(dice.between(20, 300))
    }
  },
}

/** Nothing is lost, everything comes half a second late, in both directions. */
export const linkSlow: Nemesis<DistributedWorld> = {
  kind: '500 ms latency',
  victim: 'links',
  trace: /answers slowly|does not answer/,
  async strike({ links }, dice) {
    for (const link of Object.values(links)) link.delay(500)
    await delay(dice.hold(4000, 20_000))
    for (const link of Object.values(links)) link.delay(0)
  },
}
