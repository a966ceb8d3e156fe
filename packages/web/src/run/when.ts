import type { TimelineEvent } from '@koco/core/api'

const PARTS = { h: 3600, min: 60, m: 60, s: 1, ms: 0.001 } as const

/**
 * The moment that a person means, in unix seconds: a clock time of the run's day (`14:03`, `14:03:21.5`), a distance from its first event (`+2m`, `90s`, `1h 5min`) or back from its last
 * (`-30s`). Undefined for anything else.
 */
export function momentOf(text: string, first: number, last: number, utc: boolean): number | undefined {
  const words = text.trim().toLowerCase()
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?$/.exec(words)
  if (clock) return atClock(first, last, [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)], utc)
  const span = /^([+-]?)((?:\s*\d+(?:\.\d+)?\s*(?:h|min|ms|m|s))+)$/.exec(words)
  if (!span) return undefined
  const seconds = [...(span[2] ?? '').matchAll(/(\d+(?:\.\d+)?)\s*(h|min|ms|m|s)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * PARTS[unit as keyof typeof PARTS],
    0,
  )
  return span[1] === '-' ? last - seconds : first + seconds
}

/** The first day on which the clock shows that time while the run goes on, else the day of its beginning. */
function atClock(first: number, last: number, [hours, minutes, seconds]: readonly [number, number, number], utc: boolean): number | undefined {
  if (hours > 23 || minutes > 59 || seconds >= 60) return undefined
  const day = new Date(first * 1000)
  if (utc) day.setUTCHours(hours, minutes, 0, 0)
  else day.setHours(hours, minutes, 0, 0)
  const at = day.getTime() / 1000 + seconds
  return at < first - 60 && at + 86_400 <= last + 60 ? at + 86_400 : at
}

/** The first event at a moment or after it; the last one when there is none. Events are in the order of their positions, which is that of their times but for skewed clocks. */
export function eventAt(events: readonly TimelineEvent[], at: number): TimelineEvent | undefined {
  return events.find((event) => event.ts >= at) ?? events.at(-1)
}
