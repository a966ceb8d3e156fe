import { randomBytes } from 'node:crypto'
import { RefusedError } from '@koco/core'
import type { ExecutionStore, FlowEntry, Schedule } from '@koco/storage'
import type { Clock } from '../clock.ts'
import type { Launcher } from '../launcher.ts'
import { invalidInputs, unknownFlow } from '../new-run.ts'
import { checkAnswer } from '../schema-check.ts'
import { jsonOf } from '../value.ts'
import type { NewSchedule, Schedules } from './port.ts'
import { start } from './start.ts'
import { checkTiming, nextDue } from './timing.ts'

/** What schedules in a store need. `flows` are those that are served; `changed` is called when a schedule was made or changed. */
export type StoredSchedulesDeps = {
  readonly store: Pick<ExecutionStore, 'runs' | 'schedules'>
  readonly launcher: Pick<Launcher, 'name' | 'start'>
  readonly flows: () => Promise<readonly FlowEntry[]>
  readonly clock: Clock
  readonly changed: (id: string, schedule: Schedule | undefined) => Promise<void>
}

const ID = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Schedules by the store: all of `Schedules` but the making of their starts. */
export function storedSchedules(deps: StoredSchedulesDeps): Omit<Schedules, 'close'> {
  const { store, clock, changed, launcher } = deps
  const nextOf = (schedule: Schedule): number | null => inSeconds(nextDue(schedule, clock.now()))
  const tell = async (id: string): Promise<void> => changed(id, await store.schedules.get(id))
  return {
    async create(wanted) {
      const schedule = await newSchedule(deps, wanted)
      await store.schedules.create(schedule)
      try {
        await changed(schedule.id, schedule)
      } catch (error) {
        // Whoever makes the starts must know of it, or there is no such schedule.
        await store.schedules.delete(schedule.id)
        throw error
      }
      return schedule
    },
    get: (id) => store.schedules.get(id),
    list: (query) => store.schedules.list(query),
    async pause(id) {
      if (!(await store.schedules.pause(id, true, null))) return false
      await tell(id)
      return true
    },
    async resume(id) {
      const schedule = await store.schedules.get(id)
      if (!schedule || !(await store.schedules.pause(id, false, nextOf(schedule)))) return false
      await tell(id)
      return true
    },
    async trigger(id) {
      const schedule = await store.schedules.get(id)
      if (!schedule) return undefined
      const { fid } = await start(launcher, schedule, null)
      const { nextAt } = schedule
      // Somebody who takes a step meanwhile notes a start that is as good.
      await store.schedules.advance(id, nextAt, { nextAt, lastAt: clock.now() / 1000, lastFid: fid, problem: null })
      return { fid }
    },
    async delete(id) {
      if (!(await store.schedules.get(id))) return false
      await changed(id, undefined)
      return store.schedules.delete(id)
    },
  }
}

async function newSchedule({ launcher, flows, clock }: StoredSchedulesDeps, wanted: NewSchedule): Promise<Schedule> {
  const { timing, user, flow: name, missed = 'once', overlap = 'skip' } = wanted
  checkTiming(timing)
  const served = await flows()
  const flow = served.find((entry) => entry.name === name)
  if (!flow) {
    throw unknownFlow(
      name,
      served.map((entry) => entry.name),
    )
  }
  const inputs = jsonOf(wanted.inputs, 'The inputs')
  const checked = checkAnswer(flow.inputs, inputs)
  if (!checked.ok) throw invalidInputs(name, checked.fields)
  const id = wanted.id ?? `${name.slice(0, 54)}-${randomBytes(4).toString('hex')}`
  if (!ID.test(id)) {
    throw new RefusedError(`"${id.slice(0, 80)}" cannot name a schedule: 1 to 63 of a-z, 0-9, "-", "_", ".", the first a letter or digit.`, {
      code: 'bad_schedule',
    })
  }
  const createdAt = Math.floor(clock.now() / 1000)
  const nextAt = inSeconds(nextDue({ timing, createdAt }, clock.now()))
  return {
    id,
    flow: name,
    inputs,
    user,
    launcher: launcher.name,
    timing,
    missed,
    overlap,
    createdAt,
    paused: false,
    nextAt,
    lastAt: null,
    lastFid: null,
    problem: null,
  }
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000
}
