// Goal: the checker catches each way in which a history can be wrong, and nothing else. Method: one good history with a seal, a fenced tail and a reported hole, spoilt in one way a test.
import { expect, test } from 'vitest'
import type { EventRecord } from '../event.ts'
import { formatPosition } from '../position.ts'
import { checkRun, type RunHistory } from './checker.ts'

const FID = '6ab13b80'.padEnd(24, '0')

function record(epoch: number, seq: number, data: unknown = { text: `${epoch}-${seq}` }, kind = 'stdout'): EventRecord {
  return { epoch, seq, ts: epoch + seq / 1000, kind, step: null, data: JSON.stringify(data) }
}

function attempt(epoch: number, prev: string, lost?: { from: string; to: string }): EventRecord {
  return record(epoch, 1, { attempt: 1, reason: 'start', owner: 'w', ...(lost && { lost }), prev }, 'attempt')
}

/** Epoch 10 wrote up to 3 and, as a zombie, 4; epoch 20 lost its 3 and 4 for good; epoch 30 goes on. */
function good(): RunHistory {
  const shown = [
    attempt(10, '0-0'),
    record(10, 2),
    record(10, 3),
    attempt(20, '10-3'),
    record(20, 2),
    attempt(30, '20-2', { from: '20-3', to: '20-4' }),
    record(30, 2),
  ]
  const zombie = record(10, 4)
  const stored = [...shown.slice(0, 3), zombie, ...shown.slice(3)]
  const acknowledged = [...shown.map(unsealed), zombie, record(20, 3), record(20, 4)]
  return { fid: FID, acknowledged, stored, timeline: shown }
}

/** A first event as its producer sent it. */
function unsealed(sent: EventRecord): EventRecord {
  if (sent.seq !== 1) return sent
  const { prev: _, ...data } = JSON.parse(sent.data) as Record<string, unknown>
  return { ...sent, data: JSON.stringify(data) }
}

function without(records: readonly EventRecord[], position: string): EventRecord[] {
  return records.filter((one) => formatPosition(one) !== position)
}

function rules(history: RunHistory): string[] {
  return checkRun(history).map(({ rule, position }) => `${rule} ${position}`)
}

test('a good history has no violation', () => {
  expect(checkRun(good())).toEqual([])
})

test('an empty history has no violation', () => {
  expect(checkRun({ fid: FID, acknowledged: [], stored: [], timeline: [] })).toEqual([])
})

test('an acknowledged event that is not stored is lost, and its place a hole', () => {
  const { stored, timeline, ...rest } = good()
  expect(rules({ ...rest, stored: without(stored, '10-2'), timeline: without(timeline, '10-2') })).toEqual(['lost 10-2', 'hole 10-2'])
})

test('an acknowledged last event that is not stored is lost', () => {
  const { stored, timeline, ...rest } = good()
  expect(rules({ ...rest, stored: without(stored, '30-2'), timeline: without(timeline, '30-2') })).toEqual(['lost 30-2'])
})

test('a sealed epoch that is shorter than its seal has holes, although nobody acknowledged them', () => {
  const { acknowledged, stored, timeline } = good()
  const gone = { acknowledged: without(acknowledged, '10-3'), stored: without(stored, '10-3'), timeline: without(timeline, '10-3') }
  expect(rules({ fid: FID, ...gone })).toEqual(['hole 10-3'])
})

test('a sealed epoch of which nothing is stored is all holes', () => {
  const { stored, timeline } = good()
  const later = (records: readonly EventRecord[]) => records.filter((one) => one.epoch !== 20)
  expect(rules({ fid: FID, acknowledged: [], stored: later(stored), timeline: later(timeline) })).toContain('hole 20-1')
})

test('stored content that differs from what was acknowledged is changed', () => {
  const { stored, timeline, ...rest } = good()
  const other = (records: readonly EventRecord[]) => records.map((one) => (formatPosition(one) === '10-2' ? record(10, 2, { text: 'other' }) : one))
  expect(rules({ ...rest, stored: other(stored), timeline: other(timeline) })).toEqual(['changed 10-2'])
})

test('a position that is stored or shown twice is caught', () => {
  const history = good()
  expect(rules({ ...history, stored: [...history.stored, record(30, 2)] })).toEqual(['twice 30-2'])
  expect(rules({ ...history, timeline: [...history.timeline, record(30, 2)] })).toEqual(['twice 30-2'])
})

test('a fenced event in the timeline is caught', () => {
  const history = good()
  expect(rules({ ...history, timeline: history.stored })).toEqual(['fenced 10-4'])
})

test('an epoch that a later one passed over is fenced as a whole', () => {
  const history = good()
  const zombie = [attempt(25, '20-2'), record(25, 2)]
  const stored = [...history.stored, ...zombie]
  expect(rules({ ...history, stored })).toEqual([])
  expect(rules({ ...history, stored, timeline: [...history.timeline.slice(0, 5), ...zombie, ...history.timeline.slice(5)] })).toEqual([
    'fenced 25-1',
    'fenced 25-2',
  ])
})

test('a timeline out of order is caught', () => {
  const history = good()
  expect(rules({ ...history, timeline: history.timeline.toSpliced(1, 2, record(10, 3), record(10, 2)) })).toEqual(['order 10-2'])
})

test('a stored event that readers do not get is hidden, and one that only they get is invented', () => {
  const history = good()
  expect(rules({ ...history, timeline: without(history.timeline, '10-3') })).toEqual(['hidden 10-3'])
  expect(rules({ ...history, timeline: [...history.timeline, record(30, 3)] })).toEqual(['invented 30-3'])
})
