// Goal: the crash suite finds bugs. Method: each of five known mistakes is planted into one line of koco as its processes load it, and the suite has to name what it leads to; without the mistakes, the same
// faults leave nothing to name.
import { describe, expect, test } from 'vitest'
import { distributedWorld } from './distributed-world.ts'
import { MUTATIONS, planted, spoolersDieBeforeAck, spoolersDieBeforeCommit, writerDiesAheadOfTheStore, type Mutation } from './mutations.ts'
import { runScenario } from './scenario.ts'

const SEED = 2
const SEEDS_MAX = 5
/** A mutated run may hang for ever. */
const SETTLE_MS = 8000

async function survives(): Promise<void> {
  const world = await distributedWorld()
  try {
    for (const nemesis of [spoolersDieBeforeCommit, spoolersDieBeforeAck, writerDiesAheadOfTheStore]) {
      const { violations } = await runScenario(world, { seed: SEED, nemeses: [nemesis], brief: true })
      expect(violations, world.evidence.tail(60)).toEqual([])
    }
  } finally {
    await world.close()
  }
}

async function isCaught(mutation: Mutation): Promise<void> {
  const found: string[] = []
  // A mistake shows only when a fault strikes in its moment: the suite looks for that moment with a few seeds, as a long run does with many.
  for (let seed = SEED; seed < SEED + SEEDS_MAX && found.length === 0; seed += 1) {
    const world = await distributedWorld(planted(mutation))
    try {
      const { violations } = await runScenario(world, { seed, nemeses: [mutation.nemesis], brief: true, settleMs: SETTLE_MS })
      expect(world.evidence.shows(/mutation planted in/)).toBe(true)
      found.push(...violations.filter((text) => mutation.caughtBy.test(text)))
    } finally {
      await world.close()
    }
  }
  expect(found).not.toEqual([])
}

// Two lanes side by side: most of the time somebody waits for a fault to be over.
describe('lane 1', { concurrent: true }, () => {
  test('koco as it is survives the faults that bring the mistakes to light', { concurrent: false }, survives)
  test.each(MUTATIONS.slice(0, 2))('$name: caught', { concurrent: false }, isCaught)
})
describe('lane 2', { concurrent: true }, () => {
  test.each(MUTATIONS.slice(2))('$name: caught', { concurrent: false }, isCaught)
})
