import { isWork, type Span } from './spans.ts'
import type { Axis } from './waterfall.ts'

/** What went on in a slice of the axis, the most telling thing of it; `idle` when there was nothing, `again` for tries that were made again. */
export type Slice = 'idle' | 'wait' | 'again' | 'finished' | 'running' | 'failed'

const RANK: Readonly<Record<Slice, number>> = { idle: 0, wait: 1, again: 2, finished: 3, running: 4, failed: 5 }

/** Neighbouring slices of one kind as one stretch, in shares of the axis. */
export type Stretch = { readonly left: number; readonly width: number; readonly what: Slice }

/** The whole run in one line of `count` slices. */
export function overviewOf(spans: readonly Span[], axis: Axis, now: number, count: number): Stretch[] {
  const slices = Array.from({ length: count }, (): Slice => 'idle')
  const mark = (from: number, to: number, what: Slice): void => {
    const last = Math.min(count - 1, Math.floor(axis.place(to) * count))
    for (let at = Math.min(last, Math.floor(axis.place(from) * count)); at <= last; at += 1) {
      if (RANK[what] > RANK[slices[at] ?? 'idle']) slices[at] = what
    }
  }
  for (const span of spans) {
    if (!isWork(span)) mark(span.start, span.end ?? now, 'wait')
    else for (const one of span.tries) mark(one.start, one.end ?? now, one !== span.tries.at(-1) || one.outcome === 'interrupted' ? 'again' : one.outcome)
  }
  const stretches: Stretch[] = []
  for (const [at, what] of slices.entries()) {
    const last = stretches.at(-1)
    if (last?.what === what) stretches[stretches.length - 1] = { ...last, width: last.width + 1 / count }
    else stretches.push({ left: at / count, width: 1 / count, what })
  }
  return stretches.filter(({ what }) => what !== 'idle')
}
