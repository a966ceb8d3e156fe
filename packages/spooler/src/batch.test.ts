// Goal: however a batch is cut, no record is lost, doubled or moved. Method: random batches, cut at random limits and halved down to single records.
import type { EventRecord } from '@koco/core'
import type { RunRecords } from '@koco/storage'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutWrites, halve, sortBatch } from './batch.ts'

const record = (seq: number, size: number): EventRecord => ({ epoch: 1, seq, ts: 1, kind: 'debug', step: null, data: JSON.stringify('x'.repeat(size)) })
const streams = fc.array(fc.array(fc.nat(500), { minLength: 1, maxLength: 12 }), { maxLength: 8 }).map((runs) =>
  runs.map((sizes, index) => ({
    fid: String(index),
    more: false,
    entries: sizes.map((size, at) => ({ position: { epoch: 1, seq: at + 1 }, record: record(at + 1, size), deliveries: 1 })),
  })),
)
const flat = (writes: readonly RunRecords[]) => writes.flatMap(({ fid, records }) => records.map(({ seq }) => `${fid}/${seq}`))

test('a cut batch holds the same records in the same order, each write within its bytes unless it is a single record', () => {
  fc.assert(
    fc.property(streams, fc.integer({ min: 1, max: 2000 }), (read, bytesMax) => {
      const batch = sortBatch(read)
      const writes = cutWrites(batch, bytesMax)
      expect(writes.flatMap(flat)).toEqual(flat(batch.runs))
      for (const write of writes) {
        const records = write.flatMap((run) => run.records)
        if (records.length > 1) expect(records.reduce((sum, { data }) => sum + data.length + 64, 0)).toBeLessThanOrEqual(bytesMax)
      }
    }),
  )
})

test('halving down to single records gives every record once, in order', () => {
  const singles = (batch: readonly RunRecords[]): string[] => {
    const halves = halve(batch)
    return halves ? [...singles(halves[0]), ...singles(halves[1])] : flat(batch)
  }
  fc.assert(
    fc.property(streams, (read) => {
      const { runs } = sortBatch(read)
      expect(singles(runs)).toEqual(flat(runs))
    }),
  )
})

test('what is none of ours is kept apart, and acknowledged with the rest', () => {
  const foreign = { position: { epoch: 1, seq: 2 }, record: null, raw: 'hello', deliveries: 1 }
  const batch = sortBatch([{ fid: 'a', more: false, entries: [{ position: { epoch: 1, seq: 1 }, record: record(1, 1), deliveries: 1 }, foreign] }])
  expect(flat(batch.runs)).toEqual(['a/1'])
  expect(batch.foreign).toEqual([{ fid: 'a', entry: foreign }])
  expect(batch.acks).toEqual([{ fid: 'a', upTo: { epoch: 1, seq: 2 } }])
})
