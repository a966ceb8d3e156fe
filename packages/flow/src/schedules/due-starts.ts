import type { Schedule } from '@koco/storage'
import { lastDue, nextDue } from './timing.ts'

/** A start that is later than this was missed, as was one whose successor is due already. */
const LATE_MS = 60_000
/** Missed starts that are made up for, at most. */
const MISSED_MAX = 100

/** The starts (unix ms) to make now of those due from `fromMs` on, by the schedule's policy about missed ones; in order. */
export function dueStarts(schedule: Schedule, fromMs: number, nowMs: number): number[] {
  const due = lastDue(schedule, fromMs, nowMs, schedule.missed === 'all' ? MISSED_MAX : 1)
  return schedule.missed === 'skip' ? due.filter((time) => nowMs - time <= LATE_MS) : due
}

/** How late (ms) a start may be and still be one of those to make, as of now. */
export function latestMs(schedule: Schedule, nowMs: number): number {
  if (schedule.missed === 'skip') return LATE_MS
  const { timing } = schedule
  if ('everyMs' in timing) return Math.max(LATE_MS, MISSED_MAX * timing.everyMs)
  return Math.max(LATE_MS, nowMs - (lastDue(schedule, 0, nowMs, MISSED_MAX)[0] ?? nowMs))
}

/** Whether one start that was due at a time is to be made now: what `dueStarts` says, for who is told of each start by itself. */
export function isDueStart(schedule: Schedule, atMs: number, nowMs: number): boolean {
  if (schedule.missed === 'all') return lastDue(schedule, atMs, nowMs, MISSED_MAX + 1).length <= MISSED_MAX
  const next = nextDue(schedule, atMs)
  const isLast = next === null || next > nowMs
  return isLast && (schedule.missed === 'once' || nowMs - atMs <= LATE_MS)
}
