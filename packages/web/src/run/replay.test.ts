// Goal: the state shown for a place of a run is what its events up to there say, wherever one jumps. Method: a run by hand, and each state of a long one against a fold from the beginning.
import type { Json } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextTelling, stripOf } from './replay-marks.ts'
import { indexAt, Replay } from './replay-state.ts'

let seq = 0
function event(kind: string, data: Json = {}, epoch = 1): TimelineEvent {
  seq += 1
  return { position: `${epoch}-${seq}`, fid: 'f', epoch, seq, ts: seq, kind, step: null, data }
}
const step = (phase: string, id: string, more: { readonly [key: string]: Json } = {}): TimelineEvent => event('step', { phase, id, name: id, try: 1, ...more })
const call = (output: number, cost: number | null): TimelineEvent => event('model', { tokens: { input_uncached: 10, output }, cost })

test('steps, calls, questions and output count as far as one has come', () => {
  const events = [
    event('status', { status: 'running' }),
    step('started', 'a'),
    step('failed', 'a', { retry_at: null }),
    step('started', 'a'),
    call(5, 0.5),
    step('finished', 'a'),
    event('lock', { lid: 'l', name: 'Go on?' }),
    event('status', { status: 'awaiting' }),
    event('lease', { lid: 'l' }),
    step('started', 'b'),
    event('attempt', { attempt: 2 }),
    call(5, null),
    event('final', { type: 'text', value: 'done' }),
    event('status', { status: 'finished' }),
  ]
  const replay = new Replay()
  const at = (index: number) => replay.at(events, index)
  expect(at(2)).toMatchObject({ status: 'running', done: 0, failed: new Map([['a', 'a']]), running: new Map() })
  expect(at(4)).toMatchObject({ calls: 1, tokens: 15, cost: 0.5, failed: new Map(), running: new Map([['a', 'a']]) })
  expect(at(7)).toMatchObject({ status: 'awaiting', done: 1, locks: new Map([['l', 'Go on?']]), output: null })
  expect(at(9)).toMatchObject({ locks: new Map(), running: new Map([['b', 'b']]) })
  expect(at(13)).toMatchObject({ status: 'finished', attempt: 2, running: new Map(), calls: 2, tokens: 30, cost: null, output: { value: 'done' }, outputs: 1 })
  expect(stripOf(events, 4)).toEqual(['bad', 'ask', 'ask', 'given'])
  expect(nextTelling(events, 0, 1)).toBe(2)
  expect(nextTelling(events, 5, -1)).toBe(2)
  expect(nextTelling(events, 12, 1)).toBe(13)
})

test('jumps in any order over a list that grows and loses its end give what a fold from the beginning gives', () => {
  const long = Array.from({ length: 1800 }, (_, n) => (n % 3 === 0 ? step('finished', `s${n}`) : n % 3 === 1 ? call(n, 1) : event('debug')))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 1800 }), fc.double({ min: 0, max: 0.999, noNaN: true })), { maxLength: 12 }), (jumps) => {
      const replay = new Replay()
      for (const [length, share] of jumps) {
        const events = long.slice(0, length)
        const index = Math.floor(share * length)
        expect(replay.at(events, index)).toEqual(new Replay().at(events, index))
        expect(replay.at(events, index).done).toBe(Math.floor(index / 3) + 1)
      }
    }),
    { numRuns: 40 },
  )
})

test('a position finds its event, or the one before it', () => {
  const events = [event('a', {}, 1), event('b', {}, 1), event('c', {}, 5)]
  expect(events.map(({ position }) => indexAt(events, position))).toEqual([0, 1, 2])
  expect([indexAt(events, '0-1'), indexAt(events, '3-1'), indexAt(events, '9-1'), indexAt(events, 'x')]).toEqual([-1, 1, 2, -1])
})
