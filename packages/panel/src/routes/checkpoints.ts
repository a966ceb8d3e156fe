import type { CheckpointRow } from '@koco/storage'
import type { Json } from '@koco/core'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { can, ownScope, type Action } from '../auth/permissions.ts'
import type { App, PanelContext, Routes } from '../context.ts'
import { answers, empty } from '../server/describe.ts'
import { createOnce } from '../server/idempotency.ts'
import { ProblemError } from '../server/problems.ts'
import { CheckpointShape, checkpointJson, WholeCheckpoint, wholeCheckpointJson } from '../shapes/checkpoint.ts'
import { json, limit, list, pageOf } from '../shapes/json.ts'
import { caller } from './visible-run.ts'

const tags = ['checkpoints']
const text = z.string().max(10_000)
const patterns = z.array(z.string().min(1).max(1000)).max(200)

/** The id of a checkpoint in an address. */
export const checkpointId = z.string().regex(/^ck[0-9a-f]{24}$/, 'is not the id of a checkpoint: `ck` and 24 hex digits')
/** The id of a session in a query or body. */
export const sessionId = z.string().regex(/^[0-9a-f]{12}$/, 'is not the id of a session: 12 hex digits')

const words = {
  description: text.optional(),
  tags: z.array(z.string().min(1).max(200)).max(100).optional(),
  metadata: z.record(z.string(), json).optional(),
}
const NewCheckpoint = z.object({
  session_id: sessionId,
  ...words,
  parent_id: checkpointId.nullable().optional().describe('the checkpoint that it continues; with `incremental` the last one of the session'),
  compression_level: z.number().int().min(0).max(9).optional(),
  incremental: z.boolean().optional().describe('files that are as the parent had them are not read again'),
  include: patterns.optional().describe('globs over the paths of the workspace: only these'),
  exclude: patterns.optional().describe('globs: without these'),
})
const listQuery = z.object({
  session_id: sessionId.optional(),
  tags: list.describe('all of them'),
  from: z.coerce.number().optional(),
  to: z.coerce.number().optional(),
  q: z.string().max(500).optional().describe('words in description, tags, metadata or ids'),
  metadata: z.string().max(4000).optional().describe('a JSON object whose values the metadata has at their places'),
  after: z.string().max(500).optional(),
  limit: limit(1000, 50),
})

const params = z.object({ id: checkpointId })

/** Make, find, read, describe and delete checkpoints. */
export const checkpointRoutes: Routes = (app, context) => {
  listAndMake(app, context)
  readAndChange(app, context)
}

function listAndMake(app: App, context: PanelContext): void {
  const { checkpoints, clock } = context
  const once = createOnce(clock)

  app.get(
    '/api/checkpoints',
    {
      config: { access: 'checkpoints.read' },
      schema: {
        tags,
        summary: 'List and search your checkpoints, newest first',
        querystring: listQuery,
        ...answers({ 200: pageOf(CheckpointShape) }, 401, 403),
      },
    },
    async (request) => {
      const { session_id: session, after: cursor, metadata, tags: wanted, ...query } = request.query
      const user = ownScope(caller(request), 'checkpoints.read')
      const page = await checkpoints.list({
        ...given({ session, user, cursor, tags: wanted, metadata: metadata === undefined ? undefined : parseFilter(metadata) }),
        ...given(query),
      })
      return { items: page.items.map(checkpointJson), next: page.next }
    },
  )

  app.post(
    '/api/checkpoints',
    {
      config: { access: 'checkpoints.write' },
      schema: {
        tags,
        summary: 'Make a checkpoint of a session',
        headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional() }),
        body: NewCheckpoint,
        ...answers({ 201: WholeCheckpoint }, 401, 403, 404, 409, 422),
      },
    },
    async (request, reply) => {
      const { session_id: id, parent_id: parentId, compression_level: level, ...options } = request.body
      await mustOwnSession(context, request, id)
      if (typeof parentId === 'string') await visibleCheckpoint(context, request, parentId, 'checkpoints.read')
      const { userId } = caller(request)
      const made = await once(userId, request.headers['idempotency-key'], request.body, () =>
        checkpoints.create(id, {
          ...options,
          metadata: options.metadata,
          parentId,
          compressionLevel: level as 6 | undefined,
        }),
      )
      return reply.code(201).header('location', `/api/checkpoints/${made.id}`).send(wholeCheckpointJson(made))
    },
  )
}

function readAndChange(app: App, context: PanelContext): void {
  const { checkpoints } = context

  app.get(
    '/api/checkpoints/:id',
    {
      config: { access: 'checkpoints.read' },
      schema: { tags, summary: 'A checkpoint with its files', params, ...answers({ 200: WholeCheckpoint }, 401, 403, 404, 409) },
    },
    async (request) => {
      const { id } = await visibleCheckpoint(context, request, request.params.id, 'checkpoints.read')
      return wholeCheckpointJson(await checkpoints.get(id))
    },
  )

  app.patch(
    '/api/checkpoints/:id',
    {
      config: { access: 'checkpoints.write' },
      schema: {
        tags,
        summary: 'Describe it anew; what is not given stays',
        params,
        body: z.object(words),
        ...answers({ 200: WholeCheckpoint }, 401, 403, 404, 409, 422),
      },
    },
    async (request) => {
      const { id } = await visibleCheckpoint(context, request, request.params.id, 'checkpoints.write')
      const { metadata, ...rest } = request.body
      return wholeCheckpointJson(await checkpoints.update(id, { ...given(rest), ...(metadata && { metadata }) }))
    },
  )

  app.delete(
    '/api/checkpoints/:id',
    {
      config: { access: 'checkpoints.write' },
      schema: { tags, summary: 'Delete it; those that continue it are not harmed', params, ...answers({ 204: empty }, 401, 403, 404, 409) },
    },
    async (request, reply) => {
      const { id } = await visibleCheckpoint(context, request, request.params.id, 'checkpoints.write')
      await checkpoints.delete(id)
      return reply.code(204).send()
    },
  )
}

/** The checkpoint, when the caller may do this to it. A foreign one is as unknown as one that does not exist. */
export async function visibleCheckpoint({ store }: PanelContext, request: FastifyRequest, id: string, action: Action): Promise<CheckpointRow> {
  const row = await store.checkpoints.get(id)
  if (row && can(caller(request), action, row)) return row
  throw new ProblemError(404, 'unknown_checkpoint', `There is no checkpoint ${id} among those that you may see.`)
}

/** The session must be the caller's: problem 404 `unknown_session`. */
export async function mustOwnSession({ store }: PanelContext, request: FastifyRequest, id: string): Promise<void> {
  const session = await store.sessions.get(id)
  if (!session || !can(caller(request), 'sessions.read', session))
    throw new ProblemError(404, 'unknown_session', `There is no session ${id} among those that you may see.`)
}

/** The same without what is undefined. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

function parseFilter(metadata: string): { readonly [key: string]: Json } {
  try {
    const value: unknown = JSON.parse(metadata)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as { readonly [key: string]: Json }
  } catch {
    // Told below, as for every other text that is no object.
  }
  throw new ProblemError(400, 'bad_query', '`metadata` takes a JSON object, like {"stage":"draft"}.')
}
