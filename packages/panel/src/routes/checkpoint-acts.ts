import type * as api from '@koco/core/api'
import { z } from 'zod'
import { can } from '../auth/permissions.ts'
import type { App, PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import {
  CheckpointShape,
  checkpointJson,
  ComparisonShape,
  comparisonJson,
  MergeShape,
  mergeJson,
  RestoredShape,
  restoredJson,
  RestorePlanShape,
  restorePlanJson,
  TreeShape,
  treeJson,
} from '../shapes/checkpoint.ts'
import { json } from '../shapes/json.ts'
import { shapeOf } from '../shapes/shape-of.ts'
import { checkpointId, given, mustOwnSession, sessionId, visibleCheckpoint } from './checkpoints.ts'
import { caller } from './visible-run.ts'

const tags = ['checkpoints']
const params = z.object({ id: checkpointId })
const patterns = z.array(z.string().min(1).max(1000)).max(200).optional()

const Restore = z.object({
  new_session_id: sessionId.optional().describe('of the session that is made; else one that is free'),
  session_options: z.record(z.string(), json).optional().describe('what its state gets besides, or instead of, what was copied'),
  include: patterns,
  exclude: patterns,
  skip_missing_files: z.boolean().optional().describe('go on without files whose content is gone'),
  in_place: z.boolean().optional().describe('put the session itself back; a checkpoint of what is replaced is made first'),
  dry_run: z.boolean().optional().describe('only say what would change'),
})
const Merge = z.object({
  ours: checkpointId,
  theirs: checkpointId,
  strategy: z.enum(['ours', 'theirs', 'manual']).describe('whose way it goes in a conflict; manual: conflicts are told'),
  resolution: z
    .object({
      files: z.record(z.string(), z.union([z.enum(['ours', 'theirs']), z.object({ content: z.string() })])).optional(),
      conversation: z.enum(['ours', 'theirs', 'both']).optional(),
    })
    .optional(),
  description: z.string().max(10_000).optional(),
  new_session_id: sessionId.optional(),
})

/** Go back to a checkpoint, see and merge branches, keep one from being deleted. */
export const checkpointActRoutes: Routes = (app, context) => {
  restoring(app, context)
  branches(app, context)
  keeping(app, context)
}

function restoring(app: App, context: PanelContext): void {
  const { checkpoints } = context

  app.post(
    '/api/checkpoints/:id/restore',
    {
      config: { access: 'checkpoints.write' },
      schema: {
        tags,
        summary: 'Make a session of it, or put its session back; or say what that would change',
        params,
        body: Restore,
        ...answers({ 200: z.union([RestoredShape, RestorePlanShape]) }, 401, 403, 404, 409, 422),
      },
    },
    async (request) => {
      const { id } = await visibleCheckpoint(context, request, request.params.id, 'checkpoints.write')
      const {
        dry_run: isDry,
        new_session_id: newSessionId,
        session_options: sessionOptions,
        skip_missing_files: skipMissingFiles,
        in_place: inPlace,
        include,
        exclude,
      } = request.body
      const options = {
        newSessionId,
        sessionOptions,
        skipMissingFiles,
        inPlace,
        include,
        exclude,
        by: caller(request).user,
      }
      if (isDry === true) return restorePlanJson(await checkpoints.dryRun(id, options))
      const restored = await checkpoints.restore(id, options)
      context.log.info({ checkpoint: id, session: restored.sessionId, by: caller(request).user, in_place: inPlace === true }, 'checkpoint restored')
      return restoredJson(restored)
    },
  )
}

function branches(app: App, context: PanelContext): void {
  const { checkpoints } = context

  app.get(
    '/api/checkpoints/tree',
    {
      config: { access: 'checkpoints.read' },
      schema: {
        tags,
        summary: 'The branches that a session belongs to',
        querystring: z.object({ session_id: sessionId }),
        ...answers({ 200: TreeShape }, 401, 403),
      },
    },
    async (request) => treeJson(await checkpoints.tree(request.query.session_id), (row) => can(caller(request), 'checkpoints.read', row)),
  )

  app.get(
    '/api/checkpoints/compare',
    {
      config: { access: 'checkpoints.read' },
      schema: {
        tags,
        summary: 'What is different between two',
        querystring: z.object({ a: checkpointId, b: checkpointId }),
        ...answers({ 200: ComparisonShape }, 401, 403, 404, 409),
      },
    },
    async (request) => {
      const [a, b] = [
        await visibleCheckpoint(context, request, request.query.a, 'checkpoints.read'),
        await visibleCheckpoint(context, request, request.query.b, 'checkpoints.read'),
      ]
      return comparisonJson(await checkpoints.compare(a.id, b.id))
    },
  )

  app.post(
    '/api/checkpoints/merge',
    {
      config: { access: 'checkpoints.write' },
      schema: {
        tags,
        summary: 'Merge two into a new session, by their common ancestor; or tell the conflicts',
        body: Merge,
        ...answers({ 200: MergeShape }, 401, 403, 404, 409, 422),
      },
    },
    async (request) => {
      const { ours, theirs, strategy, resolution, description, new_session_id: newSessionId } = request.body
      for (const id of [ours, theirs]) await visibleCheckpoint(context, request, id, 'checkpoints.write')
      return mergeJson(
        await checkpoints.merge(ours, theirs, { strategy, resolution: resolution && given(resolution), description, newSessionId, by: caller(request).user }),
      )
    },
  )
}

const Auto = shapeOf<api.AutoCheckpoints>()(z.object({ session_id: z.string(), enabled: z.boolean(), interval_s: z.number().nullable() }))

function keeping(app: App, context: PanelContext): void {
  const { checkpoints } = context

  for (const [act, summary] of [
    ['lock', 'Keep it from being deleted or retired; may be repeated'],
    ['unlock', 'Let it be deleted again; may be repeated'],
  ] as const) {
    app.post(
      `/api/checkpoints/:id/${act}`,
      {
        config: { access: 'checkpoints.write' },
        schema: { tags, summary, params, body: z.object({ reason: z.string().max(1000).optional() }), ...answers({ 200: CheckpointShape }, 401, 403, 404) },
      },
      async (request) => {
        const { id } = await visibleCheckpoint(context, request, request.params.id, 'checkpoints.write')
        const { user: by } = caller(request)
        return checkpointJson(act === 'lock' ? await checkpoints.lock(id, { by, reason: request.body.reason ?? null }) : await checkpoints.unlock(id))
      },
    )
  }

  app.get(
    '/api/checkpoints/auto',
    {
      config: { access: 'checkpoints.read' },
      schema: {
        tags,
        summary: 'Whether checkpoints of a session are made by the clock, and how often',
        querystring: z.object({ session_id: sessionId }),
        ...answers({ 200: Auto }, 401, 403, 404),
      },
    },
    async (request) => {
      const id = request.query.session_id
      await mustOwnSession(context, request, id)
      const interval = await checkpoints.autoIntervalS(id)
      return { session_id: id, enabled: interval !== null, interval_s: interval }
    },
  )

  app.post(
    '/api/checkpoints/auto',
    {
      config: { access: 'checkpoints.write' },
      schema: {
        tags,
        summary: 'Make checkpoints of a session by the clock while it changes, or stop that',
        description: 'It ends with the session; a restart of the panel does not end it.',
        body: z.object({ session_id: sessionId, interval_s: z.number().min(1).max(86_400).nullable().describe('null: stop') }),
        ...answers({ 200: Auto }, 401, 403, 404, 422),
      },
    },
    async (request) => {
      const { session_id: id, interval_s: intervalS } = request.body
      await mustOwnSession(context, request, id)
      if (intervalS === null) await checkpoints.disableAuto(id)
      else await checkpoints.enableAuto(id, { intervalS })
      return { session_id: id, enabled: await checkpoints.isAutoEnabled(id), interval_s: await checkpoints.autoIntervalS(id) }
    },
  )
}
