// Goal: how a run's events are cut, doubled, overlapped and shuffled on their way does not show. Method: random runs of several epochs, delivered at random, against the same run written straight.
import type { EventRecord } from '@koco/core'
import { formatPosition, RUN_STATUSES } from '@koco/core'
import { within } from '@koco/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import { attempt, lines, opening, record, someFid, START, status, timeline } from './scenario.ts'

const E1 = START * 1000
const TEST_MS = 60_000

type Delivery = { readonly from: number; readonly count: number; readonly rank: number }

const someBody = fc.array(fc.constantFrom('stdout', 'status', 'lock', 'lease', 'model', 'progress', 'final', 'hologram'), { maxLength: 12 })
const someDelivery: fc.Arbitrary<Delivery> = fc.record({ from: fc.nat(60), count: fc.integer({ min: 1, max: 20 }), rank: fc.nat(1000) })

/** The rule that holds everything together: delivery does not matter. */
export function describeDelivery(store: () => ExecutionStore): void {
  test('a run delivered in any cut, order and number of times is the run written straight', { timeout: TEST_MS }, async () => {
    const property = fc.asyncProperty(
      fc.array(someBody, { minLength: 1, maxLength: 4 }),
      fc.array(someDelivery, { maxLength: 12 }),
      fc.boolean(),
      async (bodies, deliveries, ordered) => {
        const records = runOf(bodies)
        const [straight, delivered] = [someFid(), someFid()]
        const first = await store().writer.write([{ fid: straight, records }])
        expect(await timeline(store(), straight, 100)).toEqual(records)
        const alarms = []
        let inserted = 0
        for (const batch of batchesOf(records, deliveries, ordered)) {
          const result = await store().writer.write([{ fid: delivered, records: batch }])
          alarms.push(...result.alarms)
          inserted += result.runs[0]?.inserted ?? 0
          const seen = await timeline(store(), delivered, 100)
          expect(seen).toEqual(records.slice(0, seen.length))
        }
        expect(inserted).toBe(records.length)
        expect(alarms.map(({ alarm, position }) => `${alarm} ${formatPosition(position)}`)).toEqual(
          first.alarms.map(({ alarm, position }) => `${alarm} ${formatPosition(position)}`),
        )
        expect(await timeline(store(), delivered, 5)).toEqual(records)
        expect(await stateOf(store(), delivered)).toEqual(await stateOf(store(), straight))
      },
    )
    await fc.assert(property, { numRuns: 60, ...within(TEST_MS) })
  })
}

/** A run of one epoch a body, each sealing the one before. */
function runOf(bodies: readonly (readonly string[])[]): EventRecord[] {
  const records: EventRecord[] = []
  for (const [i, kinds] of bodies.entries()) {
    const epoch = E1 + i * 10
    const last = records.at(-1)
    records.push(...(last ? [attempt(epoch, last, { reason: i % 2 === 0 ? 'retry' : 'recover' })] : opening(epoch)))
    const start = records.at(-1)?.seq ?? 0
    for (const [j, kind] of kinds.entries()) records.push(eventOf(epoch, start + 1 + j, kind))
  }
  return records
}

function eventOf(epoch: number, seq: number, kind: string): EventRecord {
  const lid = `l${seq % 3}`
  if (kind === 'status') return status(epoch, seq, RUN_STATUSES[seq % RUN_STATUSES.length] ?? 'running')
  if (kind === 'lock') return record(epoch, seq, 'lock', { lid, name: 'n', form: {}, data: seq, expires_at: null })
  if (kind === 'lease') return record(epoch, seq, 'lease', { lid, answer: seq, by: 'bob', at: START })
  if (kind === 'progress') return record(epoch, seq, 'progress', { done: seq, total: null })
  if (kind === 'final') return record(epoch, seq, 'final', { type: 'json', value: { seq } })
  if (kind === 'model') {
    const tokens = { input_uncached: seq, cache_read: 0, cache_write: 0, output: 1, reasoning: 0 }
    return record(epoch, seq, 'model', { provider: 'p', model: 'm', duration_s: 1, tokens, cost: 0.25 })
  }
  const [line] = lines(epoch, seq, 1)
  if (!line) throw new Error('a line is one record')
  return { ...line, kind }
}

/** Random stretches in random order, and in the end everything once more in order, so that nothing is left out. */
function batchesOf(records: readonly EventRecord[], deliveries: readonly Delivery[], ordered: boolean): EventRecord[][] {
  const cuts = ordered ? deliveries.toSorted((a, b) => a.from - b.from) : deliveries.toSorted((a, b) => a.rank - b.rank)
  const batches = cuts.map(({ from, count }) => records.slice(from % records.length, (from % records.length) + count))
  const half = Math.floor(records.length / 2)
  return [...batches, records.slice(half), records.slice(0, half), [...records]]
}

async function stateOf(store: ExecutionStore, fid: string): Promise<unknown> {
  const { fid: _fid, createdAt: _createdAt, ...state } = (await store.runs.get(fid)) ?? { fid, createdAt: 0 }
  const locks = await store.locks.list({ fid, limit: 100 })
  return { state, locks: locks.items.map((lock) => ({ ...lock, fid: '' })) }
}
