import type * as api from '@koco/core/api'
import type { Schedule } from '@koco/storage'
import { z } from 'zod'
import { json } from './json.ts'
import { shapeOf } from './shape-of.ts'

const seconds = z.number().describe('unix seconds')

/** A schedule as the API shows it. */
export const ScheduleShape = shapeOf<api.Schedule>()(
  z
    .object({
      id: z.string(),
      flow: z.string(),
      inputs: json,
      user: z.string().describe('who made it; its runs are theirs'),
      cron: z.string().nullable(),
      time_zone: z.string().nullable(),
      every_s: z.number().nullable(),
      missed: z.enum(['skip', 'once', 'all']),
      overlap: z.enum(['skip', 'allow']),
      paused: z.boolean(),
      created_at: seconds,
      next_at: seconds.nullable().describe('the next start; null while it is paused'),
      last_at: seconds.nullable().describe('the last start that was made'),
      last_fid: z.string().nullable().describe('the run of the last start'),
      problem: z.string().nullable().describe('why the last start was not made'),
    })
    .meta({ id: 'Schedule', description: 'Starts a flow again and again, by a cron expression or an interval.' }),
)

/** The JSON of a schedule. */
export function scheduleJson(schedule: Schedule): z.infer<typeof ScheduleShape> {
  const { id, flow, inputs, user, timing, missed, overlap, paused } = schedule
  const when =
    'cron' in timing ? { cron: timing.cron, time_zone: timing.timeZone, every_s: null } : { cron: null, time_zone: null, every_s: timing.everyMs / 1000 }
  return {
    id,
    flow,
    inputs,
    user,
    ...when,
    missed,
    overlap,
    paused,
    created_at: schedule.createdAt,
    next_at: schedule.nextAt,
    last_at: schedule.lastAt,
    last_fid: schedule.lastFid,
    problem: schedule.problem,
  }
}
