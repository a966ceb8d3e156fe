import { must } from '@koco/core'
import { distributedWorld } from './distributed-world.ts'
import { diceOf, type Dice } from './dice.ts'
import { embeddedWorld } from './embedded-world.ts'
import { DISTRIBUTED, EMBEDDED, mayMix, ON_DISK, TEMPORAL } from './nemeses/catalogue.ts'
import { runScenario, type Verdict } from './scenario.ts'
import { temporalWorld } from './temporal-world.ts'
import type { Nemesis, World } from './world.ts'

/** A kind of installation with all that may befall it; its world is opened at its first use. */
export type Stage = {
  readonly name: string
  /** Plays the scenario of a seed. */
  play(seed: number): Promise<Verdict>
  /** Ends the world; the next `play` opens another. */
  close(): Promise<void>
}

/** Faults at a time. */
const MIXED_MAX = 3
/** How often each stage is drawn. */
const SHARES = [6, 1, 1, 2]

/** All stages. */
export function openStages(): readonly Stage[] {
  return [
    stage('Redis and Postgres', () => distributedWorld(), DISTRIBUTED),
    stage('embedded', () => embeddedWorld({ onDisk: false }), EMBEDDED),
    stage('small disk', () => embeddedWorld({ onDisk: true }), ON_DISK),
    stage('Temporal', temporalWorld, TEMPORAL),
  ]
}

/** The stage that a seed plays on. */
export function stageOf(seed: number, stages: readonly Stage[]): Stage {
  // Dice of its own, so that the stage says nothing about what happens on it.
  return must(diceOf(~seed, false).oneOf(stages.flatMap((one, index) => Array.from({ length: SHARES[index] ?? 1 }, () => one))), 'a stage')
}

function stage<W extends World>(name: string, open: () => Promise<W>, nemeses: readonly Nemesis<W>[]): Stage {
  let world: Promise<W> | undefined
  return {
    name,
    async play(seed) {
      world ??= open()
      return runScenario(await world, { seed, nemeses: drawNemeses(diceOf(seed, false), nemeses), brief: false })
    },
    async close() {
      const opened = await world
      world = undefined
      await opened?.close()
    },
  }
}

/** One to three faults that may strike together; half of the time one alone. */
function drawNemeses<W extends World>(dice: Dice, nemeses: readonly Nemesis<W>[]): Nemesis<W>[] {
  const count = dice.between(0, 1) === 0 ? 1 : dice.between(2, MIXED_MAX)
  const drawn: Nemesis<W>[] = []
  for (let draws = 0; draws < count; draws++) {
    const next = dice.oneOf(nemeses)
    if (drawn.every((one) => mayMix(one, next))) drawn.push(next)
  }
  return drawn
}
