// Goal: direct schedules make each start once, whoever tries and dies, by their policies. Method: real launchers over SQLite in the embedded shape; the schedules' clock is moved by the test, and what became of
// it is read from the store.
import type { Schedule } from '@koco/storage'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { createCatalog } from '../catalog.ts'
import type { Clock } from '../clock.ts'
import { runEnd } from '../contract/under-test.ts'
import { newDir, openEmbedded, type Ground } from '../contract/embedded.ts'
import { createDirectLauncher } from '../direct/launcher.ts'
import { defineFlow, flowEntry } from '../flow.ts'
import type { Launcher } from '../launcher.ts'
import { createDirectSchedules, type DirectSchedulesOptions } from './direct-schedules.ts'
import type { NewSchedule, Schedules } from './port.ts'

const DAY = 86_400_000
const START = Date.UTC(2030, 0, 7, 6) // a Monday

/** Time passes when the test says so. */
class ManualClock implements Clock {
  #now = START
  readonly #timers = new Set<{ readonly at: number; readonly ring: () => void }>()

  now(): number {
    return this.#now
  }

  timer(ms: number, ring: () => void): () => void {
    const timer = { at: this.#now + ms, ring }
    if (ms <= 0) queueMicrotask(() => this.pass(0))
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  pass(ms: number): void {
    this.#now += ms
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue
      this.#timers.delete(timer)
      timer.ring()
    }
  }
}

const flows = [
  defineFlow({ name: 'report', summary: 'Reports', inputs: z.object({ city: z.string() }), run: ({ city }) => city }),
  defineFlow({ name: 'ask', summary: 'Asks', inputs: z.object({}), run: (_inputs, ctx) => ctx.lock('go') }),
]

let ground: Ground
let remove: () => Promise<void>
let launcher: Launcher
let clock: ManualClock
let opened: Schedules[] = []
let tests = 0
let daily: NewSchedule
beforeAll(async () => {
  const folder = await newDir()
  remove = folder.remove
  ground = await openEmbedded(folder.dir)
  launcher = await createDirectLauncher({ catalog: createCatalog(flows), store: ground.store, transport: ground.transport })
})
afterAll(async () => {
  await launcher.close(1000)
  await ground.close()
  await remove()
})

beforeEach(() => {
  clock = new ManualClock()
  daily = { id: 'daily', flow: 'report', inputs: { city: 'Rome' }, user: `ada-${(tests += 1)}`, timing: { cron: '0 7 * * *', timeZone: 'UTC' } }
})
afterEach(async () => {
  for (const schedules of opened) await schedules.close()
  opened = []
  for (const { id } of (await ground.store.schedules.list({ limit: 100 })).items) await ground.store.schedules.delete(id)
})

function open(options: Partial<DirectSchedulesOptions> = {}): Schedules {
  const schedules = createDirectSchedules({ store: ground.store, launcher, flows: async () => flows.map(flowEntry), clock, ...options })
  opened.push(schedules)
  return schedules
}

const stored = async (id = 'daily'): Promise<Schedule | undefined> => ground.store.schedules.get(id)
const until = (is: (schedule: Schedule) => boolean, id?: string): Promise<Schedule> =>
  vi.waitFor(
    async () => {
      const schedule = await stored(id)
      if (!schedule || !is(schedule)) throw new Error(`the schedule is still ${JSON.stringify(schedule)}`)
      return schedule
    },
    { timeout: 25_000, interval: 5 },
  )
const nextIs = (text: string) => (schedule: Schedule) => schedule.nextAt === Date.parse(text) / 1000
const isAhead = (schedule: Schedule): boolean => (schedule.nextAt ?? 0) > clock.now() / 1000
const runsOf = async () => (await ground.store.runs.list({ user: daily.user, limit: 100 })).items

test('a schedule starts its flow when it is due, for who made it', async () => {
  const schedule = await open().create(daily)
  expect(schedule).toMatchObject({ id: 'daily', nextAt: Date.parse('2030-01-07T07:00:00Z') / 1000, missed: 'once', overlap: 'skip', launcher: 'direct' })
  clock.pass(DAY / 24 - 1)
  clock.pass(1)
  const after = await until(nextIs('2030-01-08T07:00:00Z'))
  expect(after).toMatchObject({ lastAt: Date.parse('2030-01-07T07:00:00Z') / 1000, problem: null })
  expect(await ground.store.runs.get(after.lastFid ?? '')).toMatchObject({ flow: 'report', user: daily.user, inputs: { city: 'Rome' } })
  await runEnd(ground.store, after.lastFid ?? '')
  clock.pass(DAY)
  await until(nextIs('2030-01-09T07:00:00Z'))
  expect(await runsOf()).toHaveLength(2)
})

test('two processes make one start', async () => {
  const [one] = [open(), open()]
  await one?.create({ ...daily, overlap: 'allow' })
  for (let day = 0; day < 5; day += 1) {
    clock.pass(DAY)
    await until(isAhead)
  }
  expect(await runsOf()).toHaveLength(5)
})

test('a start that was made before a death is not made again', async () => {
  const dying = open({
    store: { runs: ground.store.runs, schedules: { ...ground.store.schedules, advance: () => Promise.reject(new Error('the process died here')) } },
  })
  await dying.create(daily)
  clock.pass(DAY / 24)
  await vi.waitFor(async () => expect(await runsOf()).toHaveLength(1), { timeout: 25_000 })
  await dying.close()
  open()
  const after = await until(nextIs('2030-01-08T07:00:00Z'))
  const runs = await runsOf()
  expect(runs.map(({ fid }) => fid)).toEqual([after.lastFid])
})

test.each([
  ['skip', 0, 'were missed'],
  ['once', 1, undefined],
  ['all', 3, undefined],
] as const)('starts that nobody was there to make: %s', async (missed, count, problem) => {
  const before = open()
  await before.create({ ...daily, missed, overlap: 'allow' })
  await before.close()
  clock.pass(2 * DAY + DAY / 12)
  open()
  const after = await until(nextIs('2030-01-10T07:00:00Z'))
  expect(await runsOf()).toHaveLength(count)
  if (problem === undefined) expect(after.problem).toBeNull()
  else expect(after.problem).toContain(problem)
})

test('a start is passed over while the run before is not over, unless that is allowed', async () => {
  const schedules = open()
  await schedules.create({ ...daily, flow: 'ask', inputs: {} })
  await schedules.create({ ...daily, id: 'allowed', flow: 'ask', inputs: {}, overlap: 'allow' })
  for (let day = 0; day < 2; day += 1) {
    clock.pass(DAY)
    await until(isAhead)
    await until(isAhead, 'allowed')
  }
  const first = await stored()
  expect(first?.problem).toContain(`run ${first?.lastFid} was not over`)
  expect(await runsOf()).toHaveLength(3)
})

test('a refused start is a problem that the schedule tells, and the next one is made', async () => {
  const schedules = open()
  await schedules.create(daily)
  const refusing = { name: launcher.name, start: () => launcher.start({ flow: 'gone', inputs: {}, user: daily.user, idempotencyKey: null }) }
  await schedules.close()
  const broken = open({ launcher: refusing })
  clock.pass(DAY / 24)
  expect((await until((schedule) => schedule.problem !== null)).problem).toContain('There is no flow "gone"')
  await broken.close()
  open()
  clock.pass(DAY)
  expect((await until((schedule) => schedule.lastFid !== null)).problem).toBeNull()
})

test('a paused schedule starts nothing, and makes up for nothing when it is resumed', async () => {
  const schedules = open()
  await schedules.create({ ...daily, missed: 'all' })
  expect(await schedules.pause('daily')).toBe(true)
  clock.pass(3 * DAY)
  expect(await schedules.resume('daily')).toBe(true)
  expect(await stored()).toMatchObject({ paused: false, nextAt: Date.parse('2030-01-10T07:00:00Z') / 1000 })
  expect(await runsOf()).toEqual([])
  for (const act of ['pause', 'resume', 'delete'] as const) expect(await schedules[act]('nobody')).toBe(false)
})

test('a trigger starts a run now and leaves the timing as it is; a deleted schedule starts nothing', async () => {
  const schedules = open()
  const { nextAt } = await schedules.create(daily)
  const triggered = await schedules.trigger('daily')
  expect(await stored()).toMatchObject({ nextAt, lastFid: triggered?.fid })
  expect(await schedules.trigger('nobody')).toBeUndefined()
  expect(await schedules.delete('daily')).toBe(true)
  clock.pass(DAY)
  await schedules.create({ ...daily, id: 'next' })
  clock.pass(DAY)
  await until((schedule) => schedule.lastFid !== null, 'next')
  expect((await runsOf()).length).toBe(2)
})

test('what cannot be scheduled is refused', async () => {
  const schedules = open()
  await expect(schedules.create({ ...daily, flow: 'nowhere' })).rejects.toMatchObject({ code: 'unknown_flow' })
  await expect(schedules.create({ ...daily, inputs: { city: 1 } })).rejects.toMatchObject({ code: 'invalid_inputs' })
  await expect(schedules.create({ ...daily, id: '../x' })).rejects.toMatchObject({ code: 'bad_schedule' })
  await expect(schedules.create({ ...daily, timing: { everyMs: 1 } })).rejects.toMatchObject({ code: 'bad_timing' })
  const { id: _id, ...nameless } = daily
  expect((await schedules.create(nameless)).id).toMatch(/^report-[0-9a-f]{8}$/)
})
