import type { Span, StepTry } from './spans.ts'

/** A stretch of the axis, in shares (0 to 1) of its width. */
export type Bar = { readonly left: number; readonly width: number; readonly outcome: StepTry['outcome'] | 'wait' }

/** The time axis of a waterfall: real time with long idle stretches pressed together, so that an hour of waiting does not hide a second of work. */
export type Axis = { readonly place: (at: number) => number; readonly totalS: number; readonly idleS: number }

const IDLE_MIN_S = 5
const IDLE_SHARE = 0.02

/** The axis over spans up to `now` (for what is still at work). Idle: longer than 5 s and a tenth of the work, with no step at work. */
export function axisOf(spans: readonly Span[], now: number, collapse: boolean): Axis {
  const busy = merged(spans.filter((span) => span.kind === 'step').flatMap((span) => span.tries.map((one) => [one.start, one.end ?? now] as const)))
  const starts = spans.map((span) => span.start)
  const start = Math.min(...starts, now)
  const end = Math.max(...spans.map((span) => span.end ?? now), start + 0.001)
  const gaps = collapse ? gapsOf(busy, start, end) : []
  const idleS = gaps.reduce((sum, [from, to]) => sum + (to - from), 0)
  const workS = Math.max(end - start - idleS, 0.001)
  const gapPx = workS * IDLE_SHARE
  const scale = workS + gaps.length * gapPx
  const place = (at: number): number => {
    let x = Math.min(Math.max(at, start), end) - start
    for (const [from, to] of gaps) {
      if (at <= from) break
      const inside = Math.min(at, to) - from
      x += -inside + gapPx * (inside / (to - from))
    }
    return Math.min(1, x / scale)
  }
  return { place, totalS: end - start, idleS }
}

/** The bars of a span: one a try, so that earlier tries are seen beside the one that counts; a wait is one. */
export function barsOf(span: Span, axis: Axis, now: number): Bar[] {
  const bar = (from: number, to: number, outcome: Bar['outcome']): Bar => ({
    left: axis.place(from),
    width: Math.max(0, axis.place(to) - axis.place(from)),
    outcome,
  })
  if (span.kind !== 'step') return [bar(span.start, span.end ?? now, 'wait')]
  return span.tries.map((one) => bar(one.start, one.end ?? now, one.outcome))
}

function merged(stretches: readonly (readonly [number, number])[]): [number, number][] {
  const result: [number, number][] = []
  for (const [from, to] of stretches.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else result.push([from, to])
  }
  return result
}

function gapsOf(busy: readonly (readonly [number, number])[], start: number, end: number): [number, number][] {
  const workS = busy.reduce((sum, [from, to]) => sum + (to - from), 0)
  const idleMin = Math.max(IDLE_MIN_S, workS / 10)
  const gaps: [number, number][] = []
  let from = start
  for (const [next, after] of [...busy, [end, end] as const]) {
    if (next - from > idleMin) gaps.push([from, next])
    from = Math.max(from, after)
  }
  return gaps
}
