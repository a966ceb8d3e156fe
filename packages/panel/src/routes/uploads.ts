import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { App, PanelContext, Routes } from '../context.ts'
import { newUploadId } from '../files/records.ts'
import { answers, empty } from '../server/describe.ts'
import { pageOf } from '../shapes/json.ts'
import { UploadShape, uploadJson } from '../shapes/file.ts'
import { caller } from './visible-run.ts'

const tags = ['files']
const config = { access: 'uploads.use', streams: true } as const
const params = z.object({ id: z.string().max(200) })
const created = { type: 'text/plain', schema: z.null(), description: 'Begun; `Location` is the address of the upload, its last part the id for inputs.' }

/** Uploads by the tus protocol 1.0.0 (creation, creation-with-upload, termination), and what is known of them as JSON. */
export const uploadRoutes: Routes = (app, context) => {
  const { uploads } = context.files
  acceptStreams(app)
  app.options('/api/uploads', { config: { access: 'public' }, schema: { hide: true } }, async (request, reply) => pass(reply, await uploads.handle(request)))
  app.post(
    '/api/uploads',
    {
      config,
      schema: {
        tags,
        summary: 'Begin an upload (tus)',
        description:
          'Headers `Tus-Resumable: 1.0.0`, `Upload-Length`, and `Upload-Metadata` with `filename` (for a folder `relativePath`), base64. The body may hold the first bytes, as `application/offset+octet-stream`.',
        ...answers({ 201: created }, 401, 403, 409, 412, 413, 429),
      },
    },
    async (request, reply) => begin(context, request, reply),
  )
  app.get(
    '/api/uploads',
    { config, schema: { tags, summary: 'Your uploads that no run has used', ...answers({ 200: pageOf(UploadShape) }, 401, 403) } },
    async (request) => ({ items: (await uploads.list(caller(request).user)).map((one) => uploadJson(one, uploads.expiresAt(one))), next: null }),
  )
  oneUpload(app, context)
}

function oneUpload(app: App, { files: { uploads } }: PanelContext): void {
  const forward = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { user } = caller(request)
    const { id } = request.params as z.infer<typeof params>
    await uploads.find(user, id)
    const answer = await uploads.handle(request)
    if (request.method === 'DELETE') await uploads.release(user, id)
    return pass(reply, answer)
  }
  app.head('/api/uploads/:id', { config, schema: { hide: true, params } }, forward)
  app.get(
    '/api/uploads/:id',
    {
      config,
      schema: {
        tags,
        summary: 'An upload',
        description: 'HEAD gives the same as tus says it: `Upload-Offset`, `Upload-Length`, `Upload-Expires`.',
        params,
        ...answers({ 200: UploadShape }, 401, 403, 404, 410),
      },
    },
    async (request) => {
      const record = await uploads.find(caller(request).user, request.params.id)
      return uploadJson(record, uploads.expiresAt(record))
    },
  )
  app.patch(
    '/api/uploads/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Send the next bytes of an upload (tus)',
        description: 'Header `Upload-Offset` as HEAD gave it, body `application/offset+octet-stream`. What has arrived before a cut is kept.',
        params,
        ...answers({ 204: empty }, 401, 403, 404, 409, 410, 412, 413, 415),
      },
    },
    forward,
  )
  app.delete(
    '/api/uploads/:id',
    { config, schema: { tags, summary: 'Give an upload up (tus)', params, ...answers({ 204: empty }, 401, 403, 404, 410, 412) } },
    forward,
  )
}

async function begin({ files: { uploads } }: PanelContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { user } = caller(request)
  const id = newUploadId()
  const length = request.headers['upload-length']
  await uploads.reserve(user, id, typeof length === 'string' ? length : undefined)
  try {
    return pass(reply, await uploads.handle(request, id))
  } catch (error) {
    await uploads.release(user, id)
    throw error
  }
}

function pass(reply: FastifyReply, { status, headers }: { readonly status: number; readonly headers: Record<string, string> }): FastifyReply {
  return reply.code(status).headers(headers).send()
}

/** Bodies that are bytes go to their routes as streams, of whatever length: the routes count. */
function acceptStreams(app: App): void {
  app.addContentTypeParser(['application/offset+octet-stream', 'application/octet-stream'], (_request, payload, done) => done(null, payload))
}
