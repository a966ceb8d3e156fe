import type { Schedule, Timing } from '@koco/storage'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { can, ownScope, type Action } from '../auth/permissions.ts'
import type { PanelContext, Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { createOnce } from '../server/idempotency.ts'
import { ProblemError } from '../server/problems.ts'
import { json, limit, pageOf } from '../shapes/json.ts'
import { ScheduleShape, scheduleJson } from '../shapes/schedule.ts'
import { caller } from './visible-run.ts'

const tags = ['schedules']
const params = z.object({ id: z.string().min(1).max(63) })
const headers = z.object({ 'idempotency-key': z.string().min(1).max(200).optional() })

const NewSchedule = z.object({
  id: z.string().min(1).max(63).optional().describe('made of the name of the flow unless given'),
  flow: z.string().min(1).max(63),
  inputs: json.optional(),
  cron: z.string().max(200).optional().describe('five fields: minute, hour, day of month, month, weekday'),
  time_zone: z.string().max(100).optional().describe('of the cron expression, like Europe/Rome; UTC unless given'),
  every_s: z.number().optional().describe('instead of cron: seconds from one start to the next'),
  missed: z
    .enum(['skip', 'once', 'all'])
    .optional()
    .describe('what becomes of starts that nobody was there to make: none, the last one (default), the last 100'),
  overlap: z.enum(['skip', 'allow']).optional().describe('whether a start is made while the run before is not over; default skip'),
})

/** Make, list, get and delete schedules. */
export const scheduleRoutes: Routes = (app, context) => {
  const { schedules, clock } = context
  const once = createOnce(clock)

  app.get(
    '/api/schedules',
    {
      config: { access: 'schedules.read' },
      schema: {
        tags,
        summary: 'List schedules by id; an operator sees those of all',
        querystring: z.object({ after: z.string().max(500).optional(), limit: limit(200, 50) }),
        ...answers({ 200: pageOf(ScheduleShape) }, 401, 403),
      },
    },
    async (request) => {
      const user = ownScope(caller(request), 'schedules.read')
      const { after: cursor, limit: size } = request.query
      const page = await schedules.list({ limit: size, ...(user !== undefined && { user }), ...(cursor !== undefined && { cursor }) })
      return { items: page.items.map(scheduleJson), next: page.next }
    },
  )

  app.post(
    '/api/schedules',
    {
      config: { access: 'schedules.manage' },
      schema: { tags, summary: 'Make a schedule', headers, body: NewSchedule, ...answers({ 201: ScheduleShape }, 401, 403, 404, 409, 413, 422) },
    },
    async (request, reply) => {
      const { body } = request
      const { user, userId } = caller(request)
      const made = await once(userId, request.headers['idempotency-key'], body, () =>
        schedules.create({
          flow: body.flow,
          inputs: body.inputs ?? {},
          user,
          timing: timingOf(body),
          ...(body.id !== undefined && { id: body.id }),
          ...(body.missed !== undefined && { missed: body.missed }),
          ...(body.overlap !== undefined && { overlap: body.overlap }),
        }),
      )
      return reply.code(201).header('location', `/api/schedules/${made.id}`).send(scheduleJson(made))
    },
  )

  app.get(
    '/api/schedules/:id',
    { config: { access: 'schedules.read' }, schema: { tags, summary: 'A schedule', params, ...answers({ 200: ScheduleShape }, 401, 403, 404) } },
    async (request) => scheduleJson(await visibleSchedule(context, request, request.params.id, 'schedules.read')),
  )

  app.delete(
    '/api/schedules/:id',
    {
      config: { access: 'schedules.manage' },
      schema: { tags, summary: 'Delete a schedule; the runs that it started go on', params, ...answers({ 204: empty }, 401, 403, 404) },
    },
    async (request, reply) => {
      const { id } = await visibleSchedule(context, request, request.params.id, 'schedules.manage')
      await schedules.delete(id)
      return reply.code(204).send()
    },
  )
}

/** Pause, resume and trigger schedules. */
export const scheduleControlRoutes: Routes = (app, context) => {
  const { schedules, clock } = context
  const once = createOnce(clock)
  const schema = (summary: string) => ({ tags, summary, params, ...answers({ 200: ScheduleShape }, 401, 403, 404) })

  for (const [act, summary] of [
    ['pause', 'Start nothing until it is resumed; may be repeated'],
    ['resume', 'Go on with the next start; nothing is made up for'],
  ] as const) {
    app.post(`/api/schedules/:id/${act}`, { config: { access: 'schedules.manage' }, schema: schema(summary) }, async (request) => {
      const { id } = await visibleSchedule(context, request, request.params.id, 'schedules.manage')
      await schedules[act](id)
      return scheduleJson(await visibleSchedule(context, request, id, 'schedules.manage'))
    })
  }

  app.post(
    '/api/schedules/:id/trigger',
    {
      config: { access: 'schedules.manage' },
      schema: {
        tags,
        summary: 'Start a run of it now, whatever its timing says',
        params,
        headers,
        ...answers({ 201: z.object({ fid: z.string() }) }, 401, 403, 404, 409, 422),
      },
    },
    async (request, reply) => {
      const { id } = await visibleSchedule(context, request, request.params.id, 'schedules.manage')
      const started = await once(caller(request).userId, request.headers['idempotency-key'], { trigger: id }, () => schedules.trigger(id))
      if (!started) throw unknown(id)
      return reply.code(201).header('location', `/api/runs/${started.fid}`).send({ fid: started.fid })
    },
  )
}

/** The schedule, when the caller may do this to it. A foreign one is as unknown as one that does not exist. */
async function visibleSchedule({ schedules }: PanelContext, request: FastifyRequest, id: string, action: Action): Promise<Schedule> {
  const schedule = await schedules.get(id)
  if (schedule && can(caller(request), action, schedule)) return schedule
  throw unknown(id)
}

function timingOf({ cron, time_zone: timeZone, every_s: everyS }: z.infer<typeof NewSchedule>): Timing {
  if (cron !== undefined && everyS === undefined) return { cron, timeZone: timeZone ?? 'UTC' }
  if (everyS !== undefined && cron === undefined && timeZone === undefined) return { everyMs: Math.round(everyS * 1000) }
  throw new ProblemError(422, 'bad_timing', 'Give either `cron` (and perhaps `time_zone`), or `every_s`.')
}

function unknown(id: string): ProblemError {
  return new ProblemError(404, 'unknown_schedule', `There is no schedule "${id}" among those that you may see.`)
}
