// Goal: whatever fault strikes, nothing is lost, doubled or disordered, every run ends, each live reader was shown exactly what the store holds, and a person finds a trace of the fault.
// Method: real processes over servers of their own; for each nemesis a workload drawn from a seed runs and is watched while it strikes. `npm run test:crash` does the same for as long as it is told, and mixes them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { distributedWorld } from './distributed-world.ts'
import { embeddedWorld } from './embedded-world.ts'
import { DISTRIBUTED, EMBEDDED, ON_DISK, TEMPORAL } from './nemeses/catalogue.ts'
import { runScenario } from './scenario.ts'
import { temporalWorld } from './temporal-world.ts'
import type { Nemesis, World } from './world.ts'

const SEED = Number(process.env['KOCO_CRASH_SEED'] ?? 1)

function describeWorld<W extends World>(name: string, open: () => Promise<W>, nemeses: readonly Nemesis<W>[]): void {
  describe(`${name}, seed ${SEED}`, { concurrent: false }, () => {
    let world: W
    beforeAll(async () => {
      world = await open()
    })
    afterAll(() => world.close())

    const cases = nemeses.map((nemesis, index) => ({ kind: nemesis.kind, nemesis, seed: SEED + 100 * index }))
    test.each(cases)('$kind', { concurrent: false }, async ({ nemesis, seed }) => {
      const verdict = await runScenario(world, { seed, nemeses: [nemesis], brief: true })
      expect(verdict.violations, world.evidence.tail(60)).toEqual([])
      expect(verdict.acknowledged).toBeGreaterThan(0)
    })
  })
}

// Two lanes side by side: most of the time somebody waits for a fault to be over.
describe('lane 1', { concurrent: true }, () => {
  describeWorld('over Redis and Postgres', () => distributedWorld(), DISTRIBUTED)
})
describe('lane 2', { concurrent: true }, () => {
  describeWorld('embedded', () => embeddedWorld({ onDisk: false }), EMBEDDED)
  describeWorld('embedded on a small disk', () => embeddedWorld({ onDisk: true }), ON_DISK)
  describeWorld('over Temporal', temporalWorld, TEMPORAL)
})
