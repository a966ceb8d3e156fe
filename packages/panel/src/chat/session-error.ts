import { must } from '@koco/core'
import type { ChatSession, CommandOutcome } from '@koco/storage'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Principal } from '../auth/permissions.ts'
import type { PanelContext } from '../context.ts'
import { problemOf } from '../server/problems.ts'

/** A refusal in the words of the session API: `{"error": message}` and what else a program needs. */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly status: number
  readonly more: Readonly<Record<string, unknown>>
  /** What a socket calls it, where the status says too little. */
  readonly code: string | undefined

  constructor(status: number, message: string, more: Readonly<Record<string, unknown>> = {}, code?: string) {
    super(message)
    this.status = status
    this.more = more
    this.code = code
  }
}

const ErrorBody = z.object({ error: z.string() }).meta({ id: 'SessionError', description: 'What is wrong, in one sentence' })

/** The answers of a session route, for the description. */
export function sessionAnswers(good: z.ZodType | { readonly type: string; readonly description: string }, ...bad: number[]): { readonly response: unknown } {
  const response: Record<string, unknown> = {
    200:
      good instanceof z.ZodType
        ? { description: 'Done.', content: { 'application/json': { schema: good } } }
        : { description: good.description, content: { [good.type]: { schema: z.string() } } },
  }
  for (const status of new Set([...bad, 400, 401, 403, 500, 503]))
    response[status] = { description: 'What is wrong.', content: { 'application/json': { schema: ErrorBody } } }
  return { response }
}

/** What every session route has: its own words for errors, checks by hand with the messages that programs know, and no cache. */
export const sessionRoute = {
  validatorCompiler: () => (data: unknown) => ({ value: data }),
  errorHandler: sendSessionError,
  onRequest: (_request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    void reply.header('cache-control', 'no-store')
    done()
  },
} as const

function sendSessionError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('cache-control', 'no-store').type('application/json; charset=utf-8')
  if (error instanceof SessionError) {
    void reply.code(error.status).send(JSON.stringify({ error: error.message, ...error.more }))
    return
  }
  const { status, detail, retryAfterS } = problemOf(error, request.id)
  if (status >= 500) request.log[status === 500 ? 'error' : 'warn']({ err: error, reqId: request.id }, 'request failed')
  if (retryAfterS !== null) void reply.header('retry-after', String(retryAfterS))
  void reply.code(status === 422 ? 400 : status).send(JSON.stringify({ error: detail }))
}

/** The fields of a JSON body. */
export type Fields = Readonly<Record<string, unknown>>

/** The body as fields, the required ones there. */
export function fieldsOf(request: FastifyRequest, ...required: readonly string[]): Fields {
  const body = request.body ?? {}
  if (typeof body !== 'object' || Array.isArray(body)) throw new SessionError(400, 'Request body must be a JSON object')
  const fields = body as Fields
  const missing = required.filter((name) => fields[name] === undefined || fields[name] === null || fields[name] === '')
  if (missing.length > 0) throw new SessionError(400, `Missing required field(s): ${missing.join(', ')}`)
  return fields
}

/** A field that is text, at most so long; undefined when it is not there. */
export function textField(fields: Fields, name: string, max = 1_000): string | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw new SessionError(400, `${name} must be a string`)
  if (value.length > max) throw new SessionError(400, `${name} must have at most ${max} characters`)
  return value
}

/** A field that is text or null. */
export function nullableField(fields: Fields, name: string): string | null | undefined {
  return fields[name] === null ? null : textField(fields, name)
}

/** A field that is true or false. */
export function flagField(fields: Fields, name: string, standard: boolean): boolean {
  const value = fields[name] ?? standard
  if (typeof value !== 'boolean') throw new SessionError(400, `${name} must be true or false`)
  return value
}

/** `keep_count`; undefined when it is not there. */
export function countField(fields: Fields, name: string): number | undefined {
  const value = fields[name]
  if (value === undefined || value === null) return undefined
  if (!Number.isInteger(value)) throw new SessionError(400, `${name} must be an integer`)
  if ((value as number) < 0) throw new SessionError(400, `${name} must be non-negative`)
  return value as number
}

/** The revision that the caller has seen. */
export function expectedRevision(fields: Fields): number | undefined {
  return countField(fields, 'expected_revision')
}

/** Refuses what was decided on an older revision of the session than it has. SessionError 409. */
export function mustBeAt(fields: Fields, { revision }: ChatSession): void {
  const expected = expectedRevision(fields)
  if (expected !== undefined && expected !== revision) mustBeDone({ outcome: 'stale', revision }, '')
}

/** The signed-in caller; the access check before every such route has put it there. */
export function whoAsks(request: FastifyRequest): Principal {
  return must(request.principal, 'the principal of a checked request')
}

/** The caller's session of this id, a turn that is over brought to its end. A foreign one is as unknown as one that does not exist. */
export async function ownSession(context: PanelContext, request: FastifyRequest, id: unknown): Promise<ChatSession> {
  return sessionOf(context, whoAsks(request).user, id)
}

/** As `ownSession`, of a user. */
export async function sessionOf({ conversations }: PanelContext, user: string, id: unknown): Promise<ChatSession> {
  const session = typeof id === 'string' && /^[0-9a-f]{12}$/.test(id) ? await conversations.look(id) : undefined
  if (session && session.user === user) return session
  throw new SessionError(404, 'Session not found')
}

/** The good outcome; the others as errors. `nothing` is said in the words of the route, with 200. */
export function mustBeDone(outcome: CommandOutcome, nothing: string): Extract<CommandOutcome, { outcome: 'done' }> {
  switch (outcome.outcome) {
    case 'done':
      return outcome
    case 'unknown':
      throw new SessionError(404, 'Session not found')
    case 'busy':
      throw new SessionError(409, 'session already has an active stream', { active_stream_id: outcome.fid })
    case 'stale':
      throw new SessionError(409, `session has changed: it is at revision ${outcome.revision}`, { revision: outcome.revision })
    case 'damaged':
      throw new SessionError(409, 'session data is damaged; what can be read of it can be branched or exported', {}, 'session_damaged')
    case 'nothing':
      throw new SessionError(200, nothing)
    default:
      throw new SessionError(409, 'session has no active stream')
  }
}
