// Goal: schedules of Temporal start runs by their timing and policies, once each, and follow what people ask of them. Method: a real Temporal server, a worker and a launcher; times that have passed are
// given to Temporal as a backfill, which starts them as it starts what was missed.
import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client'
import { defineFlow, type Launcher, type NewSchedule, type Schedules } from '@koco/flow'
import type { RunSummary, Schedule } from '@koco/storage'
import { ofThisWorker } from '@koco/testing'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { createTemporalLauncher } from './client/launcher.ts'
import { createTemporalSchedules } from './client/schedules.ts'
import { openRig, PATIENCE, type TemporalRig } from './testing/open-launcher.ts'

const flows = [defineFlow({ name: 'report', summary: 'Reports', inputs: z.object({ city: z.string() }), run: ({ city }) => city })]
const yearly = { cron: '0 0 1 1 *', timeZone: 'UTC' }

let rig: TemporalRig
let launcher: Launcher
let schedules: Schedules
beforeAll(async () => {
  rig = await openRig({ temporal: ofThisWorker(inject('temporalAddresses')), redis: inject('redisUrl') })
  await rig.startWorker(flows)
  launcher = createTemporalLauncher(rig)
  schedules = createTemporalSchedules({ ...rig, launcher })
})
afterAll(async () => {
  await schedules.close()
  await launcher.close(0)
  for (const { id } of (await rig.store.schedules.list({ limit: 100 })).items)
    await handleOf(id)
      .delete()
      .catch(() => undefined)
  await rig.close()
})

const wanted = (id: string, change: Partial<NewSchedule>): NewSchedule => ({ id, flow: 'report', inputs: { city: id }, user: id, timing: yearly, ...change })
const handleOf = (id: string) => rig.server.client.schedule.getHandle(`${rig.settings.workflowIdPrefix}schedule-${id}`)
const runsOf = async (user: string): Promise<readonly RunSummary[]> => (await rig.store.runs.list({ user, limit: 1000 })).items
const until = (id: string, is: (schedule: Schedule) => boolean): Promise<Schedule> =>
  vi.waitFor(async () => {
    const schedule = await rig.store.schedules.get(id)
    if (!schedule || !is(schedule)) throw new Error(`the schedule is still ${JSON.stringify(schedule)}`)
    return schedule
  }, PATIENCE)
/** Has Temporal start all that was due in the hour before. */
const backfill = (id: string): Promise<void> =>
  handleOf(id).backfill({ start: new Date(Date.now() - 3_600_000), end: new Date(), overlap: ScheduleOverlapPolicy.ALLOW_ALL })

test('a schedule starts its flow, for who made it, and tells when the next start is', async () => {
  const made = await schedules.create(wanted('every-second', { timing: { everyMs: 1000 } }))
  const started = await until('every-second', ({ lastFid }) => lastFid !== null)
  await schedules.pause('every-second')
  const run = await vi.waitFor(async () => {
    const found = await rig.store.runs.get(started.lastFid ?? '')
    if (found?.status !== 'finished') throw new Error(`the run is ${found?.status}`)
    return found
  }, PATIENCE)
  expect(run).toMatchObject({ flow: 'report', user: 'every-second', launcher: 'temporal', final: { value: 'every-second' } })
  const { lastAt, nextAt } = started
  expect([Number.isInteger((lastAt ?? 0.5) - made.createdAt), (nextAt ?? 0) > (lastAt ?? 0)]).toEqual([true, true])
})

test('of starts that were missed, policy says which are made, and each is made once', async () => {
  const tenMinutes = { cron: '*/10 * * * *', timeZone: 'Europe/Rome' }
  for (const missed of ['all', 'once', 'skip'] as const) await schedules.create(wanted(`missed-${missed}`, { timing: tenMinutes, missed, overlap: 'allow' }))
  for (const missed of ['all', 'once', 'skip']) await backfill(`missed-${missed}`)
  await vi.waitFor(async () => expect((await runsOf('missed-all')).length).toBeGreaterThanOrEqual(6), PATIENCE)
  await until('missed-once', ({ lastFid }) => lastFid !== null)
  await until('missed-skip', ({ lastFid, problem }) => lastFid !== null || problem !== null)
  const count = (await runsOf('missed-all')).length
  const taken = (least: number) =>
    vi.waitFor(async () => {
      const { info } = await handleOf('missed-all').describe()
      if (info.numActionsTaken < least) throw new Error(`${info.numActionsTaken} of ${least} starts so far`)
      return info.recentActions.map(({ action }) => action.workflow.workflowId)
    }, PATIENCE)
  // Temporal starts none a second time while the first of its time is still at it.
  await Promise.all((await taken(count)).map((id) => rig.server.client.workflow.getHandle(id).result()))
  await backfill('missed-all')
  await taken(2 * count - 1)
  expect((await runsOf('missed-all')).length).toBeLessThanOrEqual(count + 1)
  expect((await runsOf('missed-once')).length).toBeLessThanOrEqual(2)
  expect((await runsOf('missed-skip')).length).toBeLessThanOrEqual(1)
})

test('a pause, a resume and a deletion reach Temporal', async () => {
  await schedules.create(wanted('steered', {}))
  const paused = async (): Promise<boolean> => (await handleOf('steered').describe()).state.paused
  expect(await paused()).toBe(false)
  expect(await schedules.pause('steered')).toBe(true)
  expect(await paused()).toBe(true)
  expect(await schedules.resume('steered')).toBe(true)
  expect(await paused()).toBe(false)
  expect((await schedules.trigger('steered'))?.fid).toMatch(/^[0-9a-f]{24}$/)
  expect(await schedules.delete('steered')).toBe(true)
  await expect(handleOf('steered').describe()).rejects.toThrow(ScheduleNotFoundError)
})

test('what the store has and Temporal does not is told to it at the next start', async () => {
  await schedules.create(wanted('forgotten', {}))
  await handleOf('forgotten').delete()
  const another = createTemporalSchedules({ ...rig, launcher })
  await vi.waitFor(async () => expect((await handleOf('forgotten').describe()).spec.calendars).toHaveLength(1), PATIENCE)
  await another.close()
})
