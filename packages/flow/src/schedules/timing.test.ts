// Goal: schedules are due when their timing says so, in their time zone and over changes of the clocks, and missed starts are made by policy. Method: known dates; and as a property, what is found looking back is
// what is found going forward.
import type { Schedule, Timing } from '@koco/storage'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dueStarts, isDueStart } from './due-starts.ts'
import { checkTiming, lastDue, nextDue } from './timing.ts'

const CREATED = Date.UTC(2030, 0, 1) / 1000
const timed = (timing: Timing) => ({ timing, createdAt: CREATED })
const cron = (expression: string, timeZone = 'UTC') => timed({ cron: expression, timeZone })
const at = (text: string): number => Date.parse(text)

function scheduleOf(missed: Schedule['missed'], timing: Timing): Schedule {
  const rest = {
    id: 's',
    flow: 'f',
    inputs: {},
    user: 'ada',
    launcher: 'direct',
    overlap: 'skip',
    paused: false,
    nextAt: null,
    lastAt: null,
    lastFid: null,
  } as const
  return { ...rest, problem: null, missed, ...timed(timing) }
}

test('a cron expression is due by the wall clock of its time zone', () => {
  expect(nextDue(cron('30 7 * * 1-5', 'Europe/Rome'), at('2030-01-04T06:30:00Z'))).toBe(at('2030-01-07T06:30:00Z'))
  expect(nextDue(cron('30 7 * * 1-5', 'Europe/Rome'), at('2030-01-04T06:29:59.999Z'))).toBe(at('2030-01-04T06:30:00Z'))
  expect(nextDue(cron('30 7 * * *', 'America/New_York'), at('2030-07-01T00:00:00Z'))).toBe(at('2030-07-01T11:30:00Z'))
})

test('a time that the clocks leave out comes after the gap, one that they repeat comes once', () => {
  expect(nextDue(cron('30 2 * * *', 'Europe/Rome'), at('2030-03-30T12:00:00Z'))).toBe(at('2030-03-31T01:00:00Z'))
  const first = nextDue(cron('30 2 * * *', 'Europe/Rome'), at('2030-10-26T12:00:00Z')) ?? 0
  expect(first).toBe(at('2030-10-27T00:30:00Z'))
  expect(nextDue(cron('30 2 * * *', 'Europe/Rome'), first)).toBe(at('2030-10-28T01:30:00Z'))
})

test('an interval counts from the creation of the schedule', () => {
  const every = timed({ everyMs: 90_000 })
  expect(nextDue(every, CREATED * 1000)).toBe(CREATED * 1000 + 90_000)
  expect(nextDue(every, CREATED * 1000 + 90_000)).toBe(CREATED * 1000 + 180_000)
  expect(nextDue(every, CREATED * 1000 + 100_000)).toBe(CREATED * 1000 + 180_000)
})

test('looking back finds what going forward finds', () => {
  const timings: Timing[] = [{ cron: '*/7 * * * *', timeZone: 'Europe/Rome' }, { cron: '15 3 1 * *', timeZone: 'Asia/Kolkata' }, { everyMs: 61_000 }]
  fc.assert(
    fc.property(fc.constantFrom(...timings), fc.integer({ min: 1, max: 86_400_000 * 400 }), fc.integer({ min: 1, max: 12 }), (timing, afterMs, count) => {
      const schedule = timed(timing)
      const forward: number[] = []
      for (let time: number | null = CREATED * 1000 + afterMs; time !== null && forward.length < count;) {
        time = nextDue(schedule, time)
        if (time !== null) forward.push(time)
      }
      const [first = 0, last = 0] = [forward[0], forward.at(-1)]
      expect(lastDue(schedule, first, last, 100)).toEqual(forward)
      expect(lastDue(schedule, first, last, 1)).toEqual([last])
      expect(lastDue(schedule, first + 1, last, 100)).toEqual(forward.slice(1))
    }),
    { numRuns: 50 },
  )
})

test.each([
  [{ cron: 'every morning', timeZone: 'UTC' }, 'no cron expression'],
  [{ cron: '* * * * * *', timeZone: 'UTC' }, 'no cron expression'],
  [{ cron: '0 0 30 2 *', timeZone: 'UTC' }, 'never comes'],
  [{ cron: '0 7 * * *', timeZone: 'Mars/Olympus' }, 'no time zone'],
  [{ cron: `0 ${'7,'.repeat(200)}7 * * *`, timeZone: 'UTC' }, 'the limit is 200'],
  [{ everyMs: 10 }, '1 second to 366 days'],
  [{ everyMs: Number.NaN }, '1 second to 366 days'],
  [{ everyMs: 1500 }, 'in whole seconds'],
] as const)('%j is refused', (timing, why) => {
  expect(() => checkTiming(timing)).toThrow(why)
})

test('missed starts are passed over, made up for once, or all made, and no more than 100', () => {
  const hourly: Timing = { cron: '0 * * * *', timeZone: 'UTC' }
  const from = at('2030-01-02T10:00:00Z')
  const [late, soon] = [at('2030-01-02T13:30:00Z'), at('2030-01-02T13:00:20Z')]
  const hours = (text: number[]) => text.map((time) => new Date(time).getUTCHours())
  expect(hours(dueStarts(scheduleOf('skip', hourly), from, late))).toEqual([])
  expect(hours(dueStarts(scheduleOf('skip', hourly), from, soon))).toEqual([13])
  expect(hours(dueStarts(scheduleOf('once', hourly), from, late))).toEqual([13])
  expect(hours(dueStarts(scheduleOf('all', hourly), from, late))).toEqual([10, 11, 12, 13])
  expect(dueStarts(scheduleOf('all', hourly), from, late + 86_400_000 * 30)).toHaveLength(100)
})

test('each start by itself is judged as all of them together', () => {
  fc.assert(
    fc.property(fc.constantFrom('skip', 'once', 'all'), fc.integer({ min: 0, max: 300_000 }), (missed, laterMs) => {
      const schedule = scheduleOf(missed, { everyMs: 1000 })
      const from = CREATED * 1000 + 1000
      const all = lastDue(schedule, from, from + laterMs, 1000)
      expect(all.filter((time) => isDueStart(schedule, time, from + laterMs))).toEqual(dueStarts(schedule, from, from + laterMs))
    }),
  )
})
