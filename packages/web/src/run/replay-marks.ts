import { isJsonObject } from '@koco/core'
import type { TimelineEvent } from '@koco/core/api'

/** What an event is to somebody who looks for the moments that matter. */
export type Mark = 'plain' | 'step' | 'given' | 'ask' | 'bad'

const RANK: Readonly<Record<Mark, number>> = { plain: 0, step: 1, given: 2, ask: 3, bad: 4 }

/** The mark of an event. */
function markOf({ kind, data }: TimelineEvent): Mark {
  if (kind === 'error') return 'bad'
  if (kind === 'lock' || kind === 'lease' || kind === 'escalate') return 'ask'
  if (kind === 'result' || kind === 'final' || kind === 'agent') return 'given'
  if (kind !== 'step' || !isJsonObject(data)) return 'plain'
  if (data['phase'] === 'failed') return 'bad'
  return data['phase'] === 'finished' ? 'step' : 'plain'
}

/** The events as a strip of at most `count` marks of equal width, each the most telling of its part. */
export function stripOf(events: readonly TimelineEvent[], count: number): readonly Mark[] {
  const parts = Math.min(count, events.length)
  const strip = Array.from({ length: parts }, (): Mark => 'plain')
  for (const [index, event] of events.entries()) {
    const part = Math.floor((index * parts) / events.length)
    const mark = markOf(event)
    if (RANK[mark] > RANK[strip[part] ?? 'plain']) strip[part] = mark
  }
  return strip
}

/** The next event that is more than plain, forwards or back; the end of the list where there is none. */
export function nextTelling(events: readonly TimelineEvent[], from: number, by: 1 | -1): number {
  for (let at = from + by; at >= 0 && at < events.length; at += by) {
    const event = events[at]
    if (event && markOf(event) !== 'plain') return at
  }
  return by === 1 ? events.length - 1 : 0
}
