import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type ScheduleOptions } from '@temporalio/client'
import { latestMs, storedSchedules, systemClock, type Clock, type Launcher, type Schedules } from '@koco/flow'
import type { ExecutionStore, Schedule } from '@koco/storage'
import type { Log } from '../log.ts'
import { SCHEDULED_START } from '../names.ts'
import type { TemporalServer } from './server.ts'

/** What schedules of Temporal need. They open none of it, and close none. */
export type TemporalSchedulesOptions = {
  readonly server: TemporalServer
  readonly store: ExecutionStore
  readonly launcher: Launcher
  /** Default: the machine's. */
  readonly clock?: Clock
  readonly log?: Log
}

/** What could not be told to Temporal at the start is told again after this. */
const AGAIN_MS = 30_000
const PAGE = 200

/** Schedules that Temporal keeps: it starts a short workflow at each time, on any worker, which starts the run. At the start it is told of all that the store has. */
export function createTemporalSchedules(options: TemporalSchedulesOptions): Schedules {
  const { server, store, launcher, log = () => undefined } = options
  const clock = options.clock ?? systemClock
  const changed = (id: string, schedule: Schedule | undefined): Promise<void> => tell(server, clock, id, schedule)
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const tellAll = async (): Promise<void> => {
    try {
      for await (const schedule of all(store)) {
        if (closed) return
        if (schedule.launcher === launcher.name) await changed(schedule.id, schedule)
      }
    } catch (error) {
      log('warn', 'Temporal could not be told of all schedules; it is told later', error)
      if (!closed) timer = setTimeout(again, AGAIN_MS)
    }
  }
  let telling = tellAll()
  function again(): void {
    telling = tellAll()
  }
  return {
    ...storedSchedules({ store, launcher, clock, changed, flows: () => store.flows.list() }),
    async close() {
      closed = true
      clearTimeout(timer)
      await telling
    },
  }
}

/** Makes Temporal's schedule what ours is. */
async function tell(server: TemporalServer, clock: Clock, id: string, schedule: Schedule | undefined): Promise<void> {
  const scheduleId = `${server.settings.workflowIdPrefix}schedule-${id}`
  await server.call('change a schedule', async (client) => {
    const handle = client.schedule.getHandle(scheduleId)
    try {
      if (!schedule) await handle.delete()
      else await (schedule.paused ? handle.pause() : handle.unpause())
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error
      if (schedule) await client.schedule.create(optionsOf(server, scheduleId, schedule, clock.now())).catch(orThere)
    }
  })
}

function optionsOf({ settings }: TemporalServer, scheduleId: string, schedule: Schedule, nowMs: number): ScheduleOptions {
  const { timing, paused, flow, user } = schedule
  const spec =
    'cron' in timing
      ? { cronExpressions: [timing.cron], timezone: timing.timeZone }
      : { intervals: [{ every: timing.everyMs, offset: (schedule.createdAt * 1000) % timing.everyMs }], startAt: new Date(schedule.createdAt * 1000 + 1) }
  return {
    scheduleId,
    spec,
    action: { type: 'startWorkflow', workflowType: SCHEDULED_START, workflowId: scheduleId, taskQueue: settings.taskQueue, args: [schedule.id] },
    // Whether the run before is over, and which missed starts are made, is decided where the run is started.
    policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: latestMs(schedule, nowMs) },
    memo: { flow, user },
    state: { paused },
  }
}

/** Another process was first. */
function orThere(error: unknown): void {
  if (!(error instanceof ScheduleAlreadyRunning)) throw error
}

async function* all({ schedules }: Pick<ExecutionStore, 'schedules'>): AsyncGenerator<Schedule> {
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page: { readonly items: readonly Schedule[]; readonly next: string | null } = await schedules.list({
      limit: PAGE,
      ...(cursor !== undefined && { cursor }),
    })
    yield* page.items
    cursor = page.next
  }
}
