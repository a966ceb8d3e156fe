// Goal: bars stand in the order of time and inside the axis, with and without idle time pressed together. Method: a run that waits an hour, and a property over random spans.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Span } from './spans.ts'
import { axisOf, barsOf } from './waterfall.ts'

function step(start: number, end: number | null): Span {
  const tried = { number: 1, epoch: 1, start, end, outcome: end === null ? ('running' as const) : ('finished' as const), error: null, retryAt: null }
  return { id: `s${start}`, kind: 'step', name: 's', start, end, tries: [tried], result: null, durationS: end === null ? null : end - start }
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
      for (const bar of list.flatMap((span) => barsOf(span, axis, 6000))) expect(bar.left + bar.width).toBeLessThanOrEqual(1 + 1e-9)
    }),
  )
})
