import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { ProblemError } from '../server/problems.ts'

/** The request in the form that the tus server takes. The two headers of ours are always set or taken out: no client can say them. */
export function webRequest(request: FastifyRequest, id: string | undefined): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && !name.startsWith('x-') && name !== 'cookie' && name !== 'authorization' && name !== 'expect') headers.set(name, value)
  }
  if (id !== undefined) headers.set('x-koco-upload', id)
  // Giving up needs no protocol: any client may.
  if (request.method === 'DELETE') headers.set('tus-resumable', '1.0.0')
  if (request.principal) headers.set('x-koco-owner', request.principal.user)
  const hasBody = request.method === 'PATCH' || (request.method === 'POST' && headers.get('content-type') === 'application/offset+octet-stream')
  const init = { method: request.method, headers, ...(hasBody && { body: Readable.toWeb(request.raw) as unknown, duplex: 'half' }) }
  return new Request(`http://koco${request.url.replace(/\?.*$/s, '')}`, init as RequestInit)
}

const CODES: Readonly<Record<number, string>> = {
  404: 'unknown_upload',
  409: 'upload_offset',
  410: 'upload_expired',
  412: 'tus_version',
  413: 'file_too_large',
}

/** A refusal of the tus server as a problem. 403 means a header that is missing: a malformed request in our words. */
export function protocolProblem(status: number, text: string): ProblemError {
  if (status >= 500) return new ProblemError(503, 'upload_failed', 'The upload could not be kept now; go on with it in a moment.', { retryAfterS: 1 })
  return new ProblemError(status === 403 ? 400 : status, CODES[status] ?? 'bad_upload', `The upload was refused: ${text}.`)
}
