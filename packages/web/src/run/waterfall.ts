import { through, type Lens } from './lens.ts'
import type { GroupSpan, Row } from './nesting.ts'
import { isWork, type Span, type StepTry } from './spans.ts'

/** A stretch of the axis, in shares (0 to 1) of its width. `counts` is false for a try that a later one replaced. */
export type Bar = { readonly left: number; readonly width: number; readonly outcome: StepTry['outcome'] | 'wait' | 'group'; readonly counts: boolean }

/**
 * The time axis of a waterfall: real time with long idle stretches pressed together, so that an hour of waiting does not hide a second of work. `place` gives the share of a moment (unix
 * seconds), `moment` the way back.
 */
export type Axis = {
  readonly place: (at: number) => number
  readonly moment: (share: number) => number
  readonly start: number
  readonly totalS: number
  readonly idleS: number
  readonly gaps: readonly (readonly [from: number, to: number])[]
}

/** A mark on the axis: a round time after the start, the `nth` of them, or an idle stretch that was pressed together. */
export type Mark = { readonly at: number; readonly kind: 'time' | 'idle'; readonly seconds: number; readonly width: number; readonly nth: number }

const IDLE_MIN_S = 5
const IDLE_SHARE = 0.02
const MARKS_MAX = 8
const ROUND_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 43_200, 86_400]

/** The axis over spans up to `now` (for what is still at work). Idle: longer than 5 s and a tenth of the work, with nothing at work. */
export function axisOf(spans: readonly Span[], now: number, collapse: boolean): Axis {
  const busy = merged(spans.filter(isWork).flatMap((span) => span.tries.map((one) => [one.start, one.end ?? now] as const)))
  let [start, last] = [now, Number.NEGATIVE_INFINITY]
  for (const span of spans) {
    start = Math.min(start, span.start)
    last = Math.max(last, span.end ?? now)
  }
  const end = Math.max(last, start + 0.001)
  const gaps = collapse ? gapsOf(busy, start, end) : []
  const idleS = gaps.reduce((sum, [from, to]) => sum + (to - from), 0)
  const workS = Math.max(end - start - idleS, 0.001)
  const gapS = workS * IDLE_SHARE
  const scale = workS + gaps.length * gapS
  const place = (at: number): number => {
    let x = Math.min(Math.max(at, start), end) - start
    for (const [from, to] of gaps) {
      if (at <= from) break
      const inside = Math.min(at, to) - from
      x += -inside + gapS * (inside / (to - from))
    }
    return Math.min(1, x / scale)
  }
  const moment = (share: number): number => {
    let at = start + Math.min(Math.max(share, 0), 1) * scale
    for (const [from, to] of gaps) {
      if (at <= from) break
      at = at < from + gapS ? from + ((at - from) / gapS) * (to - from) : at - gapS + (to - from)
    }
    return Math.min(at, end)
  }
  return { place, moment, start, totalS: end - start, idleS, gaps }
}

/** The bars of a row, as the lens shows them: one a try, so that earlier tries are seen behind the one that counts; a wait or a group is one. */
export function barsOf({ span, earlier }: Pick<Row, 'span' | 'earlier'>, axis: Axis, now: number, lens: Lens): Bar[] {
  const bar = (from: number, to: number, outcome: Bar['outcome'], counts = true): Bar => {
    const [a, b] = [through(lens, axis.place(from)), through(lens, axis.place(to))]
    const left = Math.min(1, Math.max(0, a))
    return { left, width: Math.max(0, Math.min(1, b) - left), outcome, counts }
  }
  if (earlier) return [bar(earlier.start, earlier.end ?? now, earlier.outcome)]
  if (!isSpan(span) || !isWork(span)) return [bar(span.start, span.end ?? now, isSpan(span) ? 'wait' : 'group')]
  return span.tries.map((one, index) => bar(one.start, one.end ?? now, one.outcome, index === span.tries.length - 1))
}

/** True when some of a row is in the lens. */
export function isSeen({ span, earlier }: Pick<Row, 'span' | 'earlier'>, axis: Axis, now: number, lens: Lens): boolean {
  const { start, end } = earlier ?? span
  return axis.place(start) <= lens.to && axis.place(end ?? now) >= lens.from
}

/** Round times in the lens, a few, and its idle stretches; places are shares of the lens. */
export function marksOf(axis: Axis, lens: Lens): Mark[] {
  const [from, to] = [axis.moment(lens.from), axis.moment(lens.to)]
  const idle = axis.gaps
    .map(([begin, end]) => ({ begin: through(lens, axis.place(begin)), end: through(lens, axis.place(end)), seconds: end - begin }))
    .filter(({ begin, end }) => end > 0 && begin < 1)
    .map(({ begin, end, seconds }): Mark => ({ at: Math.max(0, begin), kind: 'idle', seconds, width: Math.min(1, end) - Math.max(0, begin), nth: 0 }))
  const workS = Math.max(0.001, to - from - axis.gaps.reduce((sum, [begin, end]) => sum + Math.max(0, Math.min(end, to) - Math.max(begin, from)), 0))
  const every = ROUND_S.find((seconds) => workS / seconds <= MARKS_MAX) ?? Math.ceil(workS / MARKS_MAX / 86_400) * 86_400
  const times: Mark[] = []
  let last = -1
  for (const [begin, end] of workStretches(axis, from, to)) {
    for (let n = Math.max(0, Math.ceil((begin - axis.start) / every - 1e-9)); axis.start + n * every <= end && times.length < MARKS_MAX * 2; n += 1) {
      const at = through(lens, axis.place(axis.start + n * every))
      if (at - last < 1 / (MARKS_MAX * 2) || at > 0.97) continue
      times.push({ at, kind: 'time', seconds: n * every, width: 0, nth: times.length })
      last = at
    }
  }
  return [...idle, ...times]
}

function workStretches(axis: Axis, from: number, to: number): [number, number][] {
  const result: [number, number][] = []
  let begin = from
  for (const [gapFrom, gapTo] of axis.gaps) {
    if (gapFrom > begin) result.push([begin, Math.min(gapFrom, to)])
    begin = Math.max(begin, gapTo)
  }
  if (begin < to) result.push([begin, to])
  return result
}

function isSpan(span: Span | GroupSpan): span is Span {
  return span.kind !== 'group'
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
