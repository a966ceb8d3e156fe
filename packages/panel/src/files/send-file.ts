import type { OpenedFile } from '@koco/flow'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from '../server/problems.ts'
import { rangeOf } from './range.ts'

// What a browser could run is never served as what it is; a page that shows it reads the text.
const ACTIVE = /html|svg|xml|javascript|typescript/

/** Answers with a file as a download: attachment, not sniffed, without rights in a frame; a part when Range asks for one. The file is closed whatever happens. */
export async function sendFile(request: FastifyRequest, reply: FastifyReply, opened: OpenedFile): Promise<FastifyReply> {
  const { path, size, type, modifiedAt } = opened.file
  const tag = `"${size.toString(36)}-${Math.round(modifiedAt * 1000).toString(36)}"`
  void reply.headers({
    'content-type': ACTIVE.test(type) ? 'application/octet-stream' : type,
    'x-file-type': type,
    'content-disposition': disposition(path.slice(path.lastIndexOf('/') + 1)),
    'content-security-policy': "sandbox; default-src 'none'",
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    'last-modified': new Date(modifiedAt * 1000).toUTCString(),
    etag: tag,
  })
  if (request.headers['if-none-match'] === tag) return finish(opened, reply.code(304))
  const asked = request.headers['if-range']
  const range = asked === undefined || asked === tag ? rangeOf(request.headers.range, size) : undefined
  if (range === 'none') {
    await opened.close()
    void reply.header('content-range', `bytes */${size}`)
    throw new ProblemError(416, 'bad_range', `The file has ${size} bytes; the part that was asked for is not among them.`)
  }
  if (range) void reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`)
  void reply.header('content-length', range ? range.end - range.start + 1 : size)
  if (request.method === 'HEAD' || size === 0) return finish(opened, reply)
  return reply.send(opened.read(range ?? { start: 0, end: size - 1 }))
}

async function finish(opened: OpenedFile, reply: FastifyReply): Promise<FastifyReply> {
  await opened.close()
  return reply.send()
}

/** As RFC 6266: the plain name for old clients, the real one in UTF-8. */
function disposition(name: string): string {
  const plain = name.replaceAll(/[^\w .()-]/g, '_')
  const real = encodeURIComponent(name).replaceAll(/['()*]/g, (mark) => `%${mark.codePointAt(0)?.toString(16).toUpperCase() ?? ''}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${real}`
}
