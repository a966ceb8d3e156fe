import { RefusedError } from '@koco/core'

/** A span of time: milliseconds, or a text such as `500ms`, `90s`, `15m`, `3h`, `7d`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
/** The longest span that may be asked for: ten years. */
const DURATION_MS_MAX = 10 * 365 * 86_400_000

/** The milliseconds of a span. RefusedError `bad_duration` for anything else than a span of 0 to ten years; `what` names it in the message. */
export function durationMs(span: Duration, what: string): number {
  const ms = typeof span === 'number' ? span : parse(span)
  if (!Number.isFinite(ms) || ms < 0 || ms > DURATION_MS_MAX) {
    throw new RefusedError(`${what} is ${JSON.stringify(span)}: give milliseconds or a text such as "500ms", "90s", "15m", "3h" or "7d", at most ten years.`, {
      code: 'bad_duration',
    })
  }
  return ms
}

function parse(text: string): number {
  const match = PATTERN.exec(text)
  return match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN) : Number.NaN
}
