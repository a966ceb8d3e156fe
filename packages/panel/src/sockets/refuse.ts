import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { problemOf } from '../server/problems.ts'

/** Answers an upgrade with a problem instead, and ends the connection. Gives the status. */
export function refuseUpgrade(socket: Duplex, error: unknown, requestId: string, headers: Readonly<Record<string, string>>): number {
  const { retryAfterS, ...problem } = problemOf(error, requestId)
  const body = JSON.stringify(problem)
  const all: Record<string, string | number> = {
    ...headers,
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    connection: 'close',
    ...(retryAfterS !== null && { 'retry-after': retryAfterS }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
  // Whoever does not read the answer is cut off.
  setTimeout(() => socket.destroy(), 5_000).unref()
  return problem.status
}
