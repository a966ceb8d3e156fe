import type * as api from '@koco/core/api'
import { randomBytes } from 'node:crypto'
import { formatPosition, parsePosition } from '@koco/core'
import { describeFork, forkRun, type FileFolder, type ForkDeps, type ForkPlan, type ForkRequest } from '@koco/flow'
import { z } from 'zod'
import type { PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { createOnce } from '../server/idempotency.ts'
import { ProblemError } from '../server/problems.ts'
import { json } from '../shapes/json.ts'
import { caller, fidParam, visibleRun } from './visible-run.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const stepId = z.string().min(1).max(2_000)

const Body = z
  .object({
    at: z.string().max(40).optional().describe('the position of the last event that the fork takes over; default: the last of the run'),
    inputs: json.optional().describe('other inputs'),
    results: z.record(stepId, json).optional().describe('other results of finished steps, by the ids of the steps'),
    again: z.array(stepId).max(1_000).optional().describe('ids of finished steps that are done again'),
  })
  .nullish()

const Plan = shapeOf<api.ForkPlan>()(
  z
    .object({
      from: z.string(),
      at: z.string(),
      events: z.number().int().describe('how many events the fork begins with'),
      reused: z.array(z.object({ id: z.string(), name: z.string(), at: z.string(), edited: z.boolean() })).describe('steps whose results are taken over'),
      again: z
        .array(
          z.object({
            id: z.string(),
            name: z.string(),
            reason: z.enum(['unfinished', 'later', 'asked']),
            idempotency_key: z.string().describe('what the step hands to outside systems in the fork; in a plan an example, since the fork has no id yet'),
            idempotency_key_before: z.string().describe('what it handed out in the original run'),
          }),
        )
        .describe('steps of the original that are done again, as far as it came: their side effects happen again'),
      open_locks: z.array(z.object({ lid: z.string(), name: z.string() })).describe('questions that were open; they are asked again'),
      children: z.array(z.object({ fid: z.string(), flow: z.string() })).describe('runs that it had started and that were not over; the fork starts its own'),
      end_cut: z.boolean().describe('the end of the original is left out'),
    })
    .meta({ id: 'ForkPlan', description: 'What a fork takes over and what it does again.' }),
)

const DRY = new Set(['', '1', 'true'])

/** A new run out of the beginning of another. */
export const runForkRoutes: Routes = (app, context) => {
  const once = createOnce(context.clock)
  app.post(
    '/api/runs/:fid/fork',
    {
      config: { access: 'runs.start' },
      schema: {
        tags: ['runs'],
        summary: 'Fork a run: start a new one whose journal is this one’s up to a position',
        description:
          'With `?dry_run` nothing is done and the plan is the answer. The fork belongs to the caller, has the files that the prefix knows of, and says in its `meta` events in `forked_from` where it comes from. Steps that finished up to the position are not done again; with other inputs, name in `again` the steps whose declared input changes.',
        params: z.object({ fid: fidParam }),
        headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional() }),
        querystring: z.object({ dry_run: z.string().max(5).optional() }),
        body: Body,
        ...answers({ 201: z.object({ fid: z.string(), plan: Plan }), 200: z.object({ plan: Plan }) }, 401, 403, 404, 409, 413, 422),
      },
    },
    async (request, reply) => {
      const run = await visibleRun(context, request, request.params.fid, 'runs.start')
      const body = request.body ?? {}
      const at = body.at === undefined ? run.lastPosition : parsePosition(body.at)
      if (!at) throw new ProblemError(422, 'bad_position', `"${body.at ?? ''}" is no position; one looks like 1790000000000-12.`)
      const wish: ForkRequest = {
        fid: run.fid,
        at,
        user: caller(request).user,
        edits: {
          ...(body.inputs !== undefined && { inputs: body.inputs }),
          ...(body.results !== undefined && { results: body.results }),
          ...(body.again !== undefined && { again: body.again }),
        },
      }
      const deps = forkDeps(context)
      if (request.query.dry_run !== undefined && DRY.has(request.query.dry_run)) return { plan: planJson(await describeFork(deps, wish)) }
      const key = request.headers['idempotency-key']
      const { fid, plan } = await once(caller(request).userId, key, { fid: run.fid, body }, () => forkRun(deps, wish))
      return reply
        .code(201)
        .header('location', `/api/runs/${fid}`)
        .send({ fid, plan: planJson(plan) })
    },
  )
}

function forkDeps({ store, contents, launcher, clock, files }: PanelContext): ForkDeps {
  return { store, contents, launcher, clock: { now: clock }, randomBytes, copyFiles: (from, to, uploads) => copyFiles(files.folder, from, to, uploads) }
}

/** What the run was given, and what it had written up to then; a file that was written over since is the newer one. */
async function copyFiles(folder: FileFolder, from: string, to: string, uploads: readonly string[]): Promise<void> {
  for (const { path } of await folder.list(from)) {
    if (path.startsWith('in/') || uploads.includes(path)) await folder.give(to, path, { fid: from, path })
  }
}

function planJson({ from, at, events, reused, again, openLocks, children, endCut }: ForkPlan): z.infer<typeof Plan> {
  return {
    from,
    at: formatPosition(at),
    events,
    reused: reused.map((step) => ({ ...step, at: formatPosition(step.at) })),
    again: again.map(({ id, name, reason, before, key }) => ({ id, name, reason, idempotency_key: key, idempotency_key_before: before })),
    open_locks: [...openLocks],
    children: [...children],
    end_cut: endCut,
  }
}
