// Goal: whatever a person types as a time leads where they mean, and nonsense leads nowhere. Method: a table; a run that goes on over midnight.
import { expect, test } from 'vitest'
import { eventAt, momentOf } from './when.ts'

const FIRST = Date.UTC(2026, 10, 25, 23, 50) / 1000
const LAST = FIRST + 3600

test.each([
  ['+2m', FIRST + 120],
  ['90s', FIRST + 90],
  ['1h 5min', FIRST + 3900],
  ['250ms', FIRST + 0.25],
  ['-30s', LAST - 30],
  ['23:55', FIRST + 300],
  ['23:55:02.5', FIRST + 302.5],
  ['0:20', FIRST + 1800],
  [' +1.5 m ', FIRST + 90],
])('%s', (text, at) => {
  expect(momentOf(text, FIRST, LAST, true)).toBeCloseTo(at, 6)
})

test.each(['', 'now', '25:00', '12:60', '5', '+', '1 fortnight', '12:00:61'])('nonsense: %j', (text) => {
  expect(momentOf(text, FIRST, LAST, true)).toBeUndefined()
})

test('the event at a moment is the first that is not before it, else the last', () => {
  const events = [1, 2, 5].map((ts) => ({ position: `1-${ts}`, fid: 'f', epoch: 1, seq: ts, ts, kind: 'debug', step: null, data: null }))
  expect([0, 2, 3, 9].map((at) => eventAt(events, at)?.ts)).toEqual([1, 2, 5, 5])
})
