// Goal: what the run page shows is what the events say, whatever the batches and repeats. Method: small hand-made runs, and a property over random cuts and overlaps.
import type { Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventLog, EVENTS_HELD_MAX } from './event-log.ts'
import { LiveText } from './live-text.ts'
import { SpanFold, spanOutcome } from './spans.ts'

function event(epoch: number, seq: number, kind = 'debug', data: Json = {}, ts = seq): TimelineEvent {
  return { position: `${epoch}-${seq}`, fid: 'f', epoch, seq, ts, kind, step: null, data }
}

const step = (phase: string, extra: { readonly [key: string]: Json } = {}): Json => ({ phase, id: 'a', name: 'fetch', try: 1, ...extra })

test('the log holds each event once and in order, however the pages overlap', () => {
  const run = Array.from({ length: 60 }, (_, index) => event(index < 30 ? 1 : 2, (index % 30) + 1))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(59), fc.nat(20)), { maxLength: 20 }), (reads) => {
      const log = new EventLog()
      let top = 0
      for (const [back, length] of reads) {
        const from = Math.max(0, top - back)
        log.append(run.slice(from, from + length))
        top = Math.max(top, Math.min(run.length, from + length))
      }
      expect(log.events).toEqual(run.slice(0, top))
      expect(log.kinds.get('debug') ?? 0).toBe(top)
    }),
  )
})

test('a rewind takes back what came after a position', () => {
  const log = new EventLog()
  log.append([event(1, 1), event(1, 2), event(1, 3)])
  log.rewind({ epoch: 1, seq: 1 })
  expect(log.append([event(2, 1)]).map((one) => one.position)).toEqual(['2-1'])
  expect(log.events.map((one) => one.position)).toEqual(['1-1', '2-1'])
})

test('the log lets go of the oldest events above its limit and counts them', () => {
  const log = new EventLog()
  for (let from = 0; from <= EVENTS_HELD_MAX; from += 1000) log.append(Array.from({ length: 1000 }, (_, index) => event(1, from + index + 1)))
  expect(log.dropped).toBeGreaterThan(0)
  expect(log.events.length).toBeLessThanOrEqual(EVENTS_HELD_MAX)
  expect(log.kinds.get('debug')).toBe(log.events.length)
})

test('a step that failed, was interrupted and then finished has three tries on one row', () => {
  const fold = new SpanFold()
  fold.add(event(1, 1, 'step', step('started'), 10))
  fold.add(event(1, 2, 'step', step('failed', { duration_s: 1, error: { name: 'Error', message: 'no' }, retry_at: 12 }), 11))
  fold.add(event(1, 3, 'step', step('started', { try: 2 }), 12))
  fold.add(event(2, 1, 'attempt', { attempt: 2, reason: 'recover', owner: 'w' }, 20))
  fold.add(event(2, 2, 'step', step('started', { try: 3 }), 21))
  fold.add(event(2, 3, 'step', step('finished', { try: 3, duration_s: 2, result: 'ok' }), 23))
  const [span] = fold.list()
  expect(span?.tries.map((one) => [one.outcome, one.start, one.end])).toEqual([
    ['failed', 10, 11],
    ['interrupted', 12, 12],
    ['finished', 21, 23],
  ])
  expect(span).toMatchObject({ result: 'ok', durationS: 2, start: 10, end: 23 })
})

test('waits are spans of their own, and the end of a run closes what is open', () => {
  const fold = new SpanFold()
  fold.add(event(1, 1, 'lock', { lid: 'l1', name: 'approve' }, 5))
  fold.add(event(1, 2, 'lease', { lid: 'l1', answer: true, by: 'ann', at: 9 }, 9))
  fold.add(event(1, 3, 'sleep', { phase: 'started', id: 's', until: 99 }, 10))
  expect(fold.list().map(spanOutcome)).toEqual(['finished', 'waiting'])
  fold.add(event(1, 4, 'status', { status: 'cancelled' }, 12))
  expect(fold.list().map((span) => [span.kind, span.durationS])).toEqual([
    ['lock', 4],
    ['sleep', 2],
  ])
})

test('live text grows by deltas and goes when the closing event has it in full', () => {
  const live = new LiveText()
  live.add({ step: 'a', text: 'Hel' })
  live.add({ step: 'a', text: 'lo' })
  live.add({ step: null, text: 'x' })
  expect([...live.texts]).toEqual([
    ['a', 'Hello'],
    ['', 'x'],
  ])
  live.closeBy({ ...event(1, 1, 'model'), step: 'a' })
  expect([...live.texts.keys()]).toEqual([''])
})
