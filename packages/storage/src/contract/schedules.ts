// Goal: schedules are kept, found when they are due, and stepped on by one only. Method: known schedules of one user or launcher each, so that tests do not see each other's.
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { Schedule } from '../port/schedules.ts'
import { START } from './scenario.ts'

function someSchedule(id: string, change: Partial<Schedule> = {}): Schedule {
  return {
    id,
    flow: 'report',
    inputs: { city: 'Rome' },
    user: 'ada',
    launcher: 'direct',
    timing: { cron: '0 7 * * 1-5', timeZone: 'Europe/Rome' },
    missed: 'once',
    overlap: 'skip',
    createdAt: START,
    paused: false,
    nextAt: START + 60.5,
    lastAt: null,
    lastFid: null,
    problem: null,
    ...change,
  }
}

/** The rules of ScheduleStore. */
export function describeSchedules(store: () => ExecutionStore): void {
  const create = async (id: string, change: Partial<Schedule> = {}): Promise<Schedule> => {
    const schedule = someSchedule(id, change)
    await store().schedules.create(schedule)
    return schedule
  }

  test('a schedule is kept as it was given, and an id is taken once', async () => {
    const cron = await create('weekdays')
    const every = await create('often', { timing: { everyMs: 90_000 }, missed: 'all', overlap: 'allow', inputs: null, nextAt: null, paused: true })
    expect(await store().schedules.get('weekdays')).toEqual(cron)
    expect(await store().schedules.get('often')).toEqual(every)
    expect(await store().schedules.get('never')).toBeUndefined()
    await expect(create('weekdays', { user: 'bob' })).rejects.toMatchObject({ code: 'schedule_exists' })
    expect(await store().schedules.get('weekdays')).toEqual(cron)
  })

  test('lists go by id, page by page, of one user or of all', async () => {
    for (const id of ['page-b', 'page-a', 'page-c']) await create(id, { user: 'pager' })
    const first = await store().schedules.list({ user: 'pager', limit: 2 })
    expect(first.items.map(({ id }) => id)).toEqual(['page-a', 'page-b'])
    const second = await store().schedules.list({ user: 'pager', limit: 2, cursor: first.next ?? '' })
    expect([second.items.map(({ id }) => id), second.next]).toEqual([['page-c'], null])
    expect((await store().schedules.list({ limit: 1000 })).items.length).toBeGreaterThan(3)
    await expect(store().schedules.list({ limit: 1, cursor: 'nonsense' })).rejects.toMatchObject({ code: 'bad_cursor' })
  })

  test('what is due comes earliest first; what is paused, later or of another launcher does not', async () => {
    const launcher = 'due-test'
    await create('due-late', { launcher, nextAt: START + 20 })
    await create('due-early', { launcher, nextAt: START + 10 })
    await create('due-paused', { launcher, nextAt: START + 10, paused: true })
    await create('due-never', { launcher, nextAt: null })
    await create('due-other', { launcher: 'another', nextAt: START })
    const due = async (at: number, limit = 10) => (await store().schedules.due(launcher, at, limit)).map(({ id }) => id)
    expect(await due(START + 9)).toEqual([])
    expect(await due(START + 10)).toEqual(['due-early'])
    expect(await due(START + 30)).toEqual(['due-early', 'due-late'])
    expect(await due(START + 30, 1)).toEqual(['due-early'])
    expect(await store().schedules.pause('due-early', true, null)).toBe(true)
    expect(await store().schedules.pause('due-paused', false, START + 25)).toBe(true)
    expect(await due(START + 30)).toEqual(['due-late', 'due-paused'])
    expect(await store().schedules.pause('due-nobody', true, null)).toBe(false)
  })

  test('one of two takes a step', async () => {
    const schedule = await create('stepped', { nextAt: START + 0.25 })
    const step = { nextAt: START + 60, lastAt: START, lastFid: 'f'.repeat(24), problem: null }
    const taken = await Promise.all([1, 2].map(() => store().schedules.advance('stepped', schedule.nextAt, step)))
    expect(taken.filter(Boolean)).toEqual([true])
    expect(await store().schedules.get('stepped')).toEqual({ ...schedule, ...step })
    const last = { nextAt: null, lastAt: START + 60, lastFid: null, problem: 'nobody serves it' }
    expect(await store().schedules.advance('stepped', START + 60, last)).toBe(true)
    expect(await store().schedules.advance('stepped', null, { ...last, problem: null })).toBe(true)
    expect(await store().schedules.get('stepped')).toEqual({ ...schedule, ...last, problem: null })
  })

  test('what is told of an older start than the last moves the next start, and leaves what is noted of the last', async () => {
    const schedule = await create('told-late')
    const step = { nextAt: START + 60, lastAt: START, lastFid: 'f'.repeat(24), problem: null }
    await store().schedules.advance('told-late', schedule.nextAt, step)
    const older = { nextAt: START + 120, lastAt: null, lastFid: null, problem: 'missed' }
    expect(await store().schedules.advance('told-late', START + 60, older)).toBe(true)
    expect(await store().schedules.get('told-late')).toEqual({ ...schedule, ...step, nextAt: START + 120 })
  })

  test('a deleted schedule is gone', async () => {
    await create('gone')
    expect(await store().schedules.delete('gone')).toBe(true)
    expect(await store().schedules.delete('gone')).toBe(false)
    expect(await store().schedules.get('gone')).toBeUndefined()
  })
}
