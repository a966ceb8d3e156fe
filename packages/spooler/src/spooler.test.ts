// Goal: the spooler's promises, embedded: memory and SQLite files. Method: the contract suite; then random interleavings of producers, spoolers that die and a store that fails, judged by the checker.
import { rm } from 'node:fs/promises'
import { UnavailableError } from '@koco/core'
import { openExecutionStore, type ExecutionStore } from '@koco/storage'
import { newFolder, within } from '@koco/testing'
import { createMemoryTransport } from '@koco/transport'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appendRun, createRun, faultyWriter, someRuns, standStill, startSpooler, stored, violations, type SpoolerFixture } from './contract/fixture.ts'
import { describeSpooler } from './contract/spooler-suite.ts'

async function open(): Promise<SpoolerFixture> {
  const dir = newFolder('spooler')
  const store = await openExecutionStore({ dir, migrate: true })
  return overMemory(store, async () => {
    await store.close()
    await rm(dir, { recursive: true, force: true })
  })
}

function overMemory(store: ExecutionStore, disposeStore: () => Promise<void>): SpoolerFixture {
  const transport = createMemoryTransport()
  return {
    store,
    transport,
    async links(name) {
      const consumer = transport.consumer(name)
      return { consumer, signals: transport.signals, kill: () => consumer.close() }
    },
    async dispose() {
      await transport.close()
      await disposeStore()
    },
  }
}

describeSpooler('memory and SQLite', open)

const TEST_MS = 60_000

const life = fc.record({
  dies: fc.option(fc.constantFrom('read', 'committed', 'acknowledged')),
  batchSize: fc.integer({ min: 1, max: 9 }),
  lanes: fc.integer({ min: 1, max: 3 }),
})
const world = fc.record({
  seeds: fc.uniqueArray(fc.nat(1_000_000), { minLength: 1, maxLength: 4 }),
  piece: fc.integer({ min: 1, max: 12 }),
  lives: fc.array(life, { minLength: 1, maxLength: 4 }),
  failures: fc.array(fc.boolean(), { maxLength: 12 }),
})

test('whoever dies and however often the store fails, every run is stored once and in order', { timeout: TEST_MS }, async () => {
  const shared = await open()
  let worlds = 0
  await fc.assert(
    fc.asyncProperty(world, async ({ seeds, piece, lives, failures }) => {
      const fixture = overMemory(shared.store, async () => {})
      // One store for all worlds, so each has runs of its own.
      const first = 1_000_000 * ++worlds
      const runs = someRuns(
        seeds.map((seed) => first + seed),
        25,
      )
      const toFail = [...failures]
      const writer = faultyWriter(fixture.store.writer, () => (toFail.pop() ? new UnavailableError('away', { code: 'away' }) : undefined))
      for (const run of runs) await createRun(fixture, run)
      const appended = Promise.all(runs.map((run) => appendRun(fixture, run, piece)))
      for (const { dies, batchSize, lanes } of lives) {
        if (dies === null) continue
        const { reached, crashPoint } = standStill(dies)
        const { links } = await startSpooler(fixture, 'dying', { writer, crashPoint, batchSize, lanes })
        await Promise.race([reached, appended])
        await links.kill()
      }
      const { spooler } = await startSpooler(fixture, 'last', { writer, batchSize: lives[0]?.batchSize ?? 1 })
      await appended
      for (const run of runs) await stored(fixture.store, run)
      for (const run of runs) expect(await violations(fixture.store, run)).toEqual([])
      await spooler.stop(1000)
      await fixture.dispose()
    }),
    { numRuns: 40, ...within(TEST_MS) },
  )
  await shared.dispose()
})
