import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { App, PanelContext, Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { ProblemError } from '../server/problems.ts'
import { WholeCheckpoint, wholeCheckpointJson } from '../shapes/checkpoint.ts'
import { checkpointId, visibleCheckpoint } from './checkpoints.ts'
import { caller } from './visible-run.ts'

const tags = ['checkpoints']
const params = z.object({ id: checkpointId })

/** The bytes of checkpoints: single files, and whole archives out and in. */
export const checkpointContentRoutes: Routes = (app, context) => {
  downloads(app, context)
  uploads(app, context)
}

function downloads(app: App, context: PanelContext): void {
  const { checkpoints } = context

  app.get(
    '/api/checkpoints/:id/file',
    {
      config: { access: 'checkpoints.read' },
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: 'Download a file as it was',
        params,
        querystring: z.object({ path: z.string().min(1).max(4096) }),
        ...answers({ 200: { type: 'application/octet-stream', description: 'The content, verified.' } }, 401, 403, 404, 409),
      },
    },
    async (request, reply) => {
      const { id } = await visibleCheckpoint(context, request, request.params.id, 'checkpoints.read')
      const { file, content } = await checkpoints.fileContent(id, request.query.path)
      const name = encodeURIComponent(file.path.slice(file.path.lastIndexOf('/') + 1)).replaceAll(/['()*]/g, '_')
      return reply
        .headers({
          'content-type': 'application/octet-stream',
          'content-disposition': `attachment; filename*=UTF-8''${name}`,
          'content-security-policy': "sandbox; default-src 'none'",
          'content-length': file.size,
          etag: `"${file.hash}"`,
        })
        .send(content)
    },
  )

  app.get(
    '/api/checkpoints/:id/export',
    {
      config: { access: 'checkpoints.read' },
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: 'Download it whole',
        params,
        ...answers({ 200: { type: 'application/gzip', description: 'A .tar.gz of its manifest and its content.' } }, 401, 403, 404, 409),
      },
    },
    async (request, reply) => {
      const { id } = await visibleCheckpoint(context, request, request.params.id, 'checkpoints.read')
      return reply
        .headers({ 'content-type': 'application/gzip', 'content-disposition': `attachment; filename="${id}.tar.gz"` })
        .send(await checkpoints.exportStream(id))
    },
  )
}

function uploads(app: App, context: PanelContext): void {
  const { checkpoints } = context

  app.addContentTypeParser('application/gzip', (_request, payload, done) => done(null, payload))
  app.post(
    '/api/checkpoints/import',
    {
      config: { access: 'checkpoints.write', streams: true },
      schema: {
        tags,
        summary: 'Import an exported checkpoint',
        description:
          'The body is what export gives, as `application/gzip`. It belongs to the caller. Anything that an export would not have written is refused, and nothing of it stays.',
        ...answers({ 201: WholeCheckpoint }, 401, 403, 409, 415, 422),
      },
    },
    async (request, reply) => {
      const body = request.body as Readable | undefined
      if (typeof body?.pipe !== 'function') throw new ProblemError(415, 'wrong_media_type', 'Send an exported checkpoint as application/gzip.')
      const made = await checkpoints.importFrom(body, { user: caller(request).user })
      return reply.code(201).header('location', `/api/checkpoints/${made.id}`).send(wholeCheckpointJson(made))
    },
  )
}
