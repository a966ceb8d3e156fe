import { z } from 'zod'
import { ownScope } from '../auth/permissions.ts'
import type { App, PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { checkpointId, visibleCheckpoint } from './checkpoints.ts'
import { caller } from './visible-run.ts'

const tags = ['checkpoints']
const errors = z.array(z.object({ id: z.string(), problem: z.string() }))
const which = z.object({ id: checkpointId.optional().describe('only this one'), deep: z.boolean().optional().describe('read every byte') })

/** Look after the checkpoints: are they whole, mend what can be mended, take away what nobody holds. */
export const checkpointUpkeepRoutes: Routes = (app, context) => {
  looking(app, context)
  mending(app, context)
}

function looking(app: App, context: PanelContext): void {
  const { checkpoints } = context

  app.get(
    '/api/checkpoints/:id/integrity',
    {
      config: { access: 'checkpoints.read' },
      schema: {
        tags,
        summary: 'Is everything that it holds there, and is the workspace as it was',
        params: z.object({ id: checkpointId }),
        querystring: z.object({ deep: z.enum(['true', 'false']).optional() }),
        ...answers(
          { 200: z.object({ blobs_present: z.boolean(), workspace_match: z.boolean(), all_files_present: z.boolean(), missing: z.array(z.string()) }) },
          401,
          403,
          404,
          409,
        ),
      },
    },
    async (request) => {
      const { id } = await visibleCheckpoint(context, request, request.params.id, 'checkpoints.read')
      const { blobsPresent, workspaceMatch, allFilesPresent, missing } = await checkpoints.checkIntegrity(id, { deep: request.query.deep === 'true' })
      return { blobs_present: blobsPresent, workspace_match: workspaceMatch, all_files_present: allFilesPresent, missing }
    },
  )

  app.get(
    '/api/checkpoints/totals',
    {
      config: { access: 'checkpoints.read' },
      schema: {
        tags,
        summary: 'How much your checkpoints hold, and how much is stored for it',
        ...answers({ 200: z.object({ count: z.number().int(), bytes: z.number().int(), stored_bytes: z.number().int() }) }, 401, 403),
      },
    },
    async (request) => {
      const { count, bytes, stored } = await checkpoints.totals(ownScope(caller(request), 'checkpoints.read'))
      return { count, bytes, stored_bytes: stored }
    },
  )
}

function mending(app: App, context: PanelContext): void {
  const { checkpoints } = context

  app.post(
    '/api/checkpoints/validate',
    {
      config: { access: 'checkpoints.manage' },
      schema: {
        tags,
        summary: 'Look through all checkpoints',
        body: which,
        ...answers({ 200: z.object({ checked: z.number().int(), errors }) }, 401, 403, 404),
      },
    },
    (request) => checkpoints.validate(request.body),
  )

  app.post(
    '/api/checkpoints/repair',
    {
      config: { access: 'checkpoints.manage' },
      schema: {
        tags,
        summary: 'Write damaged manifests again from the store',
        body: which.pick({ id: true }),
        ...answers({ 200: z.object({ repaired: z.array(z.string()), errors }) }, 401, 403, 404),
      },
    },
    (request) => checkpoints.repair(request.body),
  )

  app.post(
    '/api/checkpoints/gc',
    {
      config: { access: 'checkpoints.manage' },
      schema: {
        tags,
        summary: 'Take away what no checkpoint holds',
        body: z.object({ grace_s: z.number().min(0).optional().describe('leave alone what was used in so many seconds; default an hour') }),
        ...answers(
          { 200: z.object({ removed: z.number().int(), bytes: z.number().int(), kept: z.number().int(), manifests: z.number().int() }) },
          401,
          403,
          409,
        ),
      },
    },
    (request) => checkpoints.gc(request.body.grace_s === undefined ? {} : { graceMs: request.body.grace_s * 1000 }),
  )

  app.post(
    '/api/checkpoints/cleanup',
    {
      config: { access: 'checkpoints.manage' },
      schema: {
        tags,
        summary: 'Delete old checkpoints; locked ones, heads of branches and where branches part stay',
        body: z.object({ keep: z.number().int().min(1).optional().describe('of each session'), older_than_days: z.number().min(0).optional() }),
        ...answers({ 200: z.object({ removed: z.array(z.string()) }) }, 401, 403, 422),
      },
    },
    async ({ body: { keep, older_than_days: days } }) => ({
      removed: days === undefined ? await checkpoints.applyRetention(keep === undefined ? {} : { keep }) : await checkpoints.cleanupOlderThan(days),
    }),
  )
}
