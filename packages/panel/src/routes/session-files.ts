import type * as api from '@koco/core/api'
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { WorkspaceKey } from '@koco/flow'
import { ownSession, sessionAnswers, SessionError, sessionRoute, whoAsks } from '../chat/session-error.ts'
import type { PanelContext, Routes } from '../context.ts'
import { sendFile } from '../files/send-file.ts'
import { FileShape, fileJson } from '../shapes/file.ts'
import { shapeOf } from '../shapes/shape-of.ts'

const tags = ['sessions']
const bySession = z.object({ session_id: z.string() })
const byPath = bySession.extend({ path: z.string().describe('names joined by `/`') })
const Listed = shapeOf<api.Workspace>()(
  z.object({
    session_id: z.string(),
    files: z.array(FileShape),
    bytes: z.number().describe('all that the workspace holds, hidden files too'),
    bytes_max: z.number(),
    file_bytes_max: z.number().describe('what one file may have'),
  }),
)
const content = { type: 'application/octet-stream', description: 'The content, as an attachment. `Range` gives a part (206).' }

/** The files of a session's workspace: listed, downloaded, written, taken away. */
export const sessionFileRoutes: Routes = (app, context) => {
  const { workspaces } = context

  app.get(
    '/api/session/files',
    {
      ...sessionRoute,
      config: { access: 'sessions.read' },
      schema: { tags, summary: 'The files of the workspace, by path', querystring: bySession, ...sessionAnswers(Listed, 404) },
    },
    async (request) => {
      const key = await keyOf(context, request)
      const [files, { bytes }] = await Promise.all([workspaces.list(key), workspaces.use(key)])
      return {
        session_id: key.session,
        files: files.map(fileJson),
        bytes,
        bytes_max: workspaces.limits.bytesMax,
        file_bytes_max: workspaces.limits.fileBytesMax,
      }
    },
  )
  const download = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    sendFile(request, reply, await workspaces.open(await keyOf(context, request), pathOf(request)))
  // Of its own: the one that comes with GET would read the file to count it.
  app.head('/api/session/file', { ...sessionRoute, config: { access: 'sessions.read' }, schema: { hide: true } }, download)
  app.get(
    '/api/session/file',
    {
      ...sessionRoute,
      config: { access: 'sessions.read' },
      schema: { tags, summary: 'Download a file of the workspace', querystring: byPath, ...sessionAnswers(content, 404, 416) },
    },
    download,
  )
  app.put(
    '/api/session/file',
    {
      ...sessionRoute,
      config: { access: 'sessions.write', streams: true },
      schema: {
        tags,
        summary: 'Write a file into the workspace',
        description:
          'The body is the content, `application/octet-stream`: 10 MB a file, 100 MB a workspace. Whole or not at all; an older file of the path is replaced.',
        querystring: byPath,
        ...sessionAnswers(z.object({ ok: z.literal(true), file: FileShape }), 404, 413, 415),
      },
    },
    async (request) => {
      const key = await keyOf(context, request)
      return { ok: true, file: fileJson(await workspaces.write(key, pathOf(request), bytesOf(request.body))) }
    },
  )
  app.delete(
    '/api/session/file',
    {
      ...sessionRoute,
      config: { access: 'sessions.write' },
      schema: {
        tags,
        summary: 'Take a file of the workspace away; false when there was none',
        querystring: byPath,
        ...sessionAnswers(z.object({ ok: z.literal(true), deleted: z.boolean() }), 404),
      },
    },
    async (request) => ({ ok: true, deleted: await workspaces.remove(await keyOf(context, request), pathOf(request)) }),
  )
}

async function keyOf(context: PanelContext, request: FastifyRequest): Promise<WorkspaceKey> {
  const { session_id: id } = request.query as { session_id?: string }
  if (!id) throw new SessionError(400, 'session_id is required')
  const session = await ownSession(context, request, id)
  return { user: whoAsks(request).user, session: session.id }
}

function pathOf(request: FastifyRequest): string {
  const { path } = request.query as { path?: unknown }
  if (typeof path !== 'string') throw new SessionError(400, 'path is required')
  return path
}

function bytesOf(body: unknown): Readable {
  if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) return body as Readable
  throw new SessionError(415, 'Send the content of the file as application/octet-stream')
}
