// Goal: bars stand in the order of time and inside the axis, with and without idle time pressed together. Method: a run that waits an hour, and a property over random spans.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { between, isWhole, moved, through, WHOLE, zoomed } from './lens.ts'
import { overviewOf } from './overview.ts'
import type { Span } from './spans.ts'
import { axisOf, barsOf, marksOf } from './waterfall.ts'

function step(start: number, end: number | null): Span {
  const tried = { number: 1, epoch: 1, start, end, outcome: end === null ? ('running' as const) : ('finished' as const), error: null, retryAt: null }
  return {
    id: `s${start}`,
    kind: 'step',
    name: 's',
    path: [],
    parent: null,
    position: '1-1',
    start,
    end,
    tries: [tried],
    result: null,
    durationS: end === null ? null : end - start,
  }
}

test('an hour of waiting takes little room, the seconds of work take the rest', () => {
  const spans = [step(0, 2), step(3602, 3604)]
  const axis = axisOf(spans, 3604, true)
  expect(axis.idleS).toBe(3600)
  expect(axis.place(2)).toBeGreaterThan(0.45)
  expect(axis.place(3602) - axis.place(2)).toBeLessThan(0.05)
  expect(axisOf(spans, 3604, false).place(2)).toBeLessThan(0.001)
})

test('places grow with time and stay inside, bars too', () => {
  const spans = fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.option(fc.integer({ min: 0, max: 500 }))), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(spans, fc.boolean(), (pairs, collapse) => {
      const list = pairs.map(([start, length]) => step(start, length === null ? null : start + length))
      const axis = axisOf(list, 6000, collapse)
      const places = Array.from({ length: 100 }, (_, index) => axis.place(index * 60))
      expect(places.every((place, index) => place >= 0 && place <= 1 && place >= (places[index - 1] ?? 0) - 1e-9)).toBe(true)
      for (const bar of list.flatMap((span) => barsOf({ span }, axis, 6000, WHOLE))) expect(bar.left + bar.width).toBeLessThanOrEqual(1 + 1e-9)
    }),
  )
})

test('the way from a moment to its place and back ends where it began, also beside pressed idle time', () => {
  const axis = axisOf([step(0, 2), step(3602, 3604), step(9000, 9010)], 9010, true)
  for (const at of [0, 1, 2, 1000, 3602, 3603.5, 5000, 9001, 9010]) expect(axis.moment(axis.place(at))).toBeCloseTo(at, 5)
})

test('a lens stays on the axis, however it is drawn, moved and zoomed', () => {
  const act = fc.oneof(
    fc.tuple(fc.constant('between'), fc.double({ min: -1, max: 2, noNaN: true }), fc.double({ min: -1, max: 2, noNaN: true })),
    fc.tuple(fc.constant('zoomed'), fc.double({ min: 0.01, max: 100, noNaN: true }), fc.constant(0)),
    fc.tuple(fc.constant('moved'), fc.double({ min: -5, max: 5, noNaN: true }), fc.constant(0)),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 20 }), (acts) => {
      let lens = WHOLE
      for (const [what, a, b] of acts) {
        lens = what === 'between' ? between(a, b) : what === 'zoomed' ? zoomed(lens, a) : moved(lens, a)
        expect(lens.from).toBeGreaterThanOrEqual(0)
        expect(lens.to).toBeLessThanOrEqual(1 + 1e-9)
        expect(lens.to).toBeGreaterThan(lens.from)
      }
    }),
  )
  expect(isWhole(zoomed(zoomed(WHOLE, 0.1), 100))).toBe(true)
  const close = zoomed(WHOLE, 0.5, 0.25)
  expect(through(close, 0.25)).toBeCloseTo(through(WHOLE, 0.25))
})

test('the ruler has a few round times in order, and says how long an idle stretch was', () => {
  const axis = axisOf([step(0, 20), step(3620, 3640)], 3640, true)
  const marks = marksOf(axis, WHOLE)
  expect(marks.filter(({ kind }) => kind === 'idle').map(({ seconds }) => seconds)).toEqual([3600])
  const times = marks.filter(({ kind }) => kind === 'time').map(({ seconds }) => seconds)
  expect(times[0]).toBe(0)
  expect(times.length).toBeGreaterThan(3)
  expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true)
  expect(marksOf(axis, { from: 0, to: 0.01 }).length).toBeGreaterThan(0)
})

test('the overview says what went on in each slice; work outshines waiting, failure outshines work', () => {
  const failed: Span = { ...step(6, 7), tries: step(6, 7).tries.map((one) => ({ ...one, outcome: 'failed' as const })) }
  const pause: Span = { ...step(2, 10), id: 'pause:1', kind: 'pause', tries: [] }
  const spans = [step(0, 2), pause, failed]
  expect(overviewOf(spans, axisOf(spans, 10, false), 10, 10).map(({ what }) => what)).toEqual(['finished', 'wait', 'failed', 'wait'])
})
