import { SessionError } from '../chat/session-error.ts'
import type { Json } from '@koco/core'
import { problemOf } from '../server/problems.ts'
import { errorFrame, type Frame, type FrameData } from './frames.ts'

const CODES: Readonly<Record<number, string>> = { 200: 'nothing_to_do', 400: 'bad_request', 404: 'unknown_session', 409: 'busy' }

/** What a client is told of an error: the stable code and one sentence, nothing of an unexpected one. */
export function failureFrame(error: unknown, requestId: string, about: FrameData): Frame {
  if (error instanceof SessionError) {
    const code = error.code ?? CODES[error.status] ?? 'bad_request'
    return errorFrame(code, error.message, { ...about, ...(error.more as Record<string, Json>) })
  }
  const { code, detail, status } = problemOf(error, requestId)
  return errorFrame(code, detail, { ...about, ...(status === 500 && { request_id: requestId }) })
}
