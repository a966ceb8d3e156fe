import { isJsonObject, type Json } from '@koco/core'

/** A field that the server refused: a JSON pointer (`/city`) and one sentence. */
export type FieldProblem = { readonly path: string; readonly message: string }

/** An answer of the API that is no success, or no answer at all (`status` 0, code `unreachable`). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly status: number
  readonly code: string
  readonly title: string
  readonly requestId: string | null
  readonly fields: readonly FieldProblem[]
  readonly retryAfterS: number | null

  constructor(options: {
    status: number
    code: string
    title: string
    detail: string
    requestId?: string | null
    fields?: readonly FieldProblem[]
    retryAfterS?: number | null
    cause?: unknown
  }) {
    super(options.detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.status = options.status
    this.code = options.code
    this.title = options.title
    this.requestId = options.requestId ?? null
    this.fields = options.fields ?? []
    this.retryAfterS = options.retryAfterS ?? null
  }
}

/** The problem that a response describes (RFC 9457), or one made of its status when the body is something else (a proxy's page). */
export function problemOf(status: number, body: Json | undefined, retryAfter: string | null): ApiProblem {
  const given = isJsonObject(body) ? body : {}
  const text = (key: string, fallback: string): string => (typeof given[key] === 'string' ? given[key] : fallback)
  const title = text('title', `The server answered ${status}`)
  const seconds = Number(retryAfter ?? Number.NaN)
  return new ApiProblem({
    status,
    title,
    code: text('code', `http_${status}`),
    // The session API says what is wrong in `error`.
    detail: text('detail', text('error', title)),
    requestId: text('request_id', '') || null,
    fields: fieldsOf(given['errors']),
    retryAfterS: Number.isFinite(seconds) ? seconds : null,
  })
}

/** The problem of a request that got no answer. */
export function unreachable(cause: unknown): ApiProblem {
  return new ApiProblem({
    status: 0,
    code: 'unreachable',
    title: 'The server does not answer',
    detail: 'No answer from the server. Check that koco is running and that you are online; nothing was lost.',
    cause,
  })
}

/** One sentence for people about any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function fieldsOf(errors: Json | undefined): FieldProblem[] {
  if (!Array.isArray(errors)) return []
  return errors.filter(isJsonObject).map((error) => ({
    path: typeof error['path'] === 'string' ? error['path'] : '',
    message: typeof error['message'] === 'string' ? error['message'] : 'is not valid',
  }))
}
