import { KocoError, RefusedError, UnavailableError } from '@koco/core'
import type { FieldError } from '@koco/flow'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** An RFC 9457 problem. `code` is stable: programs tell problems apart by it. */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly request_id: string
  readonly errors?: readonly FieldError[]
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  410: 'Gone',
  412: 'Wrong protocol version',
  415: 'Wrong media type',
  416: 'No such part',
  422: 'Invalid content',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available now',
}

/** The status of the codes that come from below the panel; every other refusal is a 400. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  unknown_flow: 404,
  unknown_run: 404,
  invalid_inputs: 422,
  unknown_step: 422,
  bad_position: 422,
  run_too_long: 413,
  imported_run: 409,
  event_too_large: 413,
  inputs_too_large: 413,
  user_exists: 409,
  identity_exists: 409,
  schedule_exists: 409,
  bad_schedule: 422,
  bad_timing: 422,
  bad_webhook_url: 422,
  unknown_file: 404,
  file_too_large: 413,
  run_files_too_large: 413,
  too_many_files: 413,
  workspace_full: 413,
  read_only: 409,
  unknown_checkpoint: 404,
  unknown_session: 404,
  unknown_blob: 404,
  checkpoint_locked: 409,
  checkpoint_changed: 409,
  checkpoint_exists: 409,
  corrupt_manifest: 409,
  missing_files: 409,
  session_busy: 409,
  session_exists: 409,
  session_damaged: 409,
  bad_archive: 422,
  same_checkpoint: 422,
  bad_session_id: 422,
}

/** Fastify's own refusals in our words. */
const FRAMEWORK: Readonly<Record<string, { readonly status: number; readonly code: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'body_too_large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { status: 415, code: 'wrong_media_type' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { status: 400, code: 'bad_json' },
  FST_ERR_CTP_INVALID_JSON_BODY: { status: 400, code: 'bad_json' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { status: 400, code: 'bad_request' },
  FST_ERR_BAD_URL: { status: 400, code: 'bad_url' },
  FST_ERR_ASYNC_CONSTRAINT: { status: 400, code: 'bad_request' },
  FST_ERR_MAX_PARAM_LENGTH: { status: 400, code: 'bad_url' },
}

/** A refusal with its HTTP status. `retryAfterS` becomes the header of that name. */
export class ProblemError extends RefusedError {
  readonly status: number
  readonly retryAfterS: number | null

  constructor(status: number, code: string, detail: string, options: { readonly retryAfterS?: number; readonly errors?: readonly FieldError[] } = {}) {
    super(detail, { code, details: options.errors })
    this.status = status
    this.retryAfterS = options.retryAfterS ?? null
  }
}

/** What a client is told of an error: no stack, nothing of an unexpected error but where to look. */
export function problemOf(error: unknown, requestId: string): Problem & { readonly retryAfterS: number | null } {
  const found = describe(error)
  return {
    type: `urn:koco:problem:${found.code}`,
    title: TITLES[found.status] ?? 'Error',
    status: found.status,
    detail: found.detail,
    code: found.code,
    request_id: requestId,
    ...(found.errors && { errors: found.errors }),
    retryAfterS: found.retryAfterS ?? null,
  }
}

type Described = { status: number; code: string; detail: string; errors?: readonly FieldError[] | undefined; retryAfterS?: number | null }

function describe(error: unknown): Described {
  if (error instanceof ProblemError) {
    const { status, code, message: detail, retryAfterS } = error
    return { status, code, detail, retryAfterS, errors: fieldErrors(error.details) }
  }
  if (error instanceof UnavailableError) return { status: 503, code: error.code, detail: error.message, retryAfterS: 1 }
  if (error instanceof RefusedError) {
    return { status: STATUS_OF_CODE[error.code] ?? 400, code: error.code, detail: error.message, errors: fieldErrors(error.details) }
  }
  const internal = { status: 500, code: 'internal', detail: 'Something went wrong here; the server log has it under this request id.' }
  if (error instanceof KocoError || !(error instanceof Error)) return internal
  return describeFramework(error) ?? internal
}

type FrameworkError = {
  readonly code?: string
  readonly statusCode?: number
  readonly validation?: readonly { readonly instancePath?: string; readonly message?: string }[]
  readonly validationContext?: string
}

function describeFramework(error: Error & FrameworkError): Described | undefined {
  if (error.validation) return describeValidation(error.validation, error.validationContext)
  const known = error.code === undefined ? undefined : FRAMEWORK[error.code]
  if (known) return { ...known, detail: error.message }
  if (error.statusCode === 400 && error instanceof SyntaxError) return { status: 400, code: 'bad_json', detail: `The body is not JSON: ${error.message}` }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return { status: error.statusCode, code: 'bad_request', detail: error.message }
  }
  return undefined
}

/** A body of the wrong shape is 422 with its fields; a wrong address or query is 400. */
function describeValidation(issues: NonNullable<FrameworkError['validation']>, where = 'body'): Described {
  const errors = issues.slice(0, 50).map((issue) => ({ path: issue.instancePath ?? '', message: issue.message ?? 'is not valid' }))
  const first = errors[0]
  const name = where === 'querystring' ? 'query' : where === 'params' ? 'address' : where
  const detail = `The ${name} is not valid${first ? `: ${first.path === '' ? '' : `${first.path}: `}${first.message}` : ''}`
  return where === 'body' ? { status: 422, code: 'invalid_body', detail, errors } : { status: 400, code: `bad_${name}`, detail, errors }
}

function fieldErrors(details: unknown): readonly FieldError[] | undefined {
  return Array.isArray(details) && details.every((one) => typeof one === 'object' && one !== null && 'path' in one && 'message' in one)
    ? (details as FieldError[])
    : undefined
}

/** Answers with a problem; what was not expected is logged with its stack. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { retryAfterS, ...problem } = problemOf(error, request.id)
  if (problem.status >= 500) request.log[problem.status === 500 ? 'error' : 'warn']({ err: error, reqId: request.id }, 'request failed')
  if (retryAfterS !== null) void reply.header('retry-after', String(retryAfterS))
  return reply.code(problem.status).type('application/problem+json; charset=utf-8').send(JSON.stringify(problem))
}
