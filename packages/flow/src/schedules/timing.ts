import { RefusedError } from '@koco/core'
import type { Schedule, Timing } from '@koco/storage'
import { Cron } from 'croner'

const EVERY_MS_MIN = 1000
const EVERY_MS_MAX = 366 * 86_400_000
const CRON_CHARS_MAX = 200

type Timed = Pick<Schedule, 'timing' | 'createdAt'>

/** Refuses what no schedule can be made of: RefusedError `bad_timing` says what to give instead. */
export function checkTiming(timing: Timing): void {
  if ('everyMs' in timing) {
    const { everyMs } = timing
    // Whole seconds are what Temporal knows.
    if (everyMs % 1000 === 0 && everyMs >= EVERY_MS_MIN && everyMs <= EVERY_MS_MAX) return
    throw badTiming(`An interval is 1 second to 366 days, in whole seconds, not ${String(everyMs)} ms.`)
  }
  if (timing.cron.length > CRON_CHARS_MAX) throw badTiming(`The cron expression has ${timing.cron.length} characters; the limit is ${CRON_CHARS_MAX}.`)
  if (!isTimeZone(timing.timeZone)) throw badTiming(`"${timing.timeZone}" is no time zone: give one like Europe/Rome or UTC.`)
  const next = cronOf(timing).nextRun()
  if (next === null) throw badTiming(`"${timing.cron}" never comes.`)
}

/** The first time (unix ms) after another at which a schedule is due; null when none comes. */
export function nextDue({ timing, createdAt }: Timed, afterMs: number): number | null {
  if ('cron' in timing) return cronOf(timing).nextRun(new Date(afterMs))?.getTime() ?? null
  const first = Math.round(createdAt * 1000)
  const passed = Math.max(0, Math.floor((afterMs - first) / timing.everyMs))
  return first + (passed + 1) * timing.everyMs
}

/** The last times (unix ms) from one to another, both inclusive, at which a schedule is due; at most `max`, in order. */
export function lastDue(schedule: Timed, fromMs: number, toMs: number, max: number): number[] {
  const { timing, createdAt } = schedule
  if ('cron' in timing) {
    const times = cronOf(timing).previousRuns(max, new Date(toMs + 1))
    return times
      .map((time) => time.getTime())
      .filter((time) => time >= fromMs && time <= toMs)
      .toReversed()
  }
  const first = Math.round(createdAt * 1000)
  const times: number[] = []
  for (
    let time = first + Math.floor((toMs - first) / timing.everyMs) * timing.everyMs;
    time >= fromMs && time > first && times.length < max;
    time -= timing.everyMs
  ) {
    times.unshift(time)
  }
  return times
}

function cronOf({ cron, timeZone }: Extract<Timing, { cron: string }>): Cron {
  try {
    return new Cron(cron, { timezone: timeZone, mode: '5-part' })
  } catch (error) {
    throw badTiming(
      `"${cron}" is no cron expression of five fields (minute, hour, day, month, weekday): ${error instanceof Error ? error.message : String(error)}`,
      error,
    )
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

function badTiming(message: string, cause?: unknown): RefusedError {
  return new RefusedError(message, { code: 'bad_timing', cause })
}
