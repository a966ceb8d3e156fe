import { z } from 'zod'

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string().describe('stable; tell problems apart by it'),
    request_id: z.string(),
    errors: z.array(z.object({ path: z.string().describe('JSON pointer'), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' })

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'The request is malformed.',
  401: 'Nobody is signed in.',
  403: 'The role does not allow it, or the request came from another site.',
  404: 'There is no such thing, or it is not yours to see.',
  409: 'It cannot be done as things stand.',
  410: 'It was there and has expired.',
  412: 'The version of the protocol is missing or not known.',
  413: 'The body is too large.',
  415: 'The content is of another type than this route takes.',
  416: 'There is no such part.',
  422: 'The content is not valid; `errors` names the fields.',
  429: 'Too often; wait as Retry-After says.',
  500: 'Something went wrong; the server log has it under the request id.',
  503: 'A server behind is away for now; try again.',
}

/** What a route answers: the good answers, then the statuses of the problems that it has besides the ones that every route has. */
export function answers(
  good: Readonly<Record<number, z.ZodType | { readonly type: string; readonly schema?: z.ZodType; readonly description: string }>>,
  ...bad: number[]
): { readonly response: unknown } {
  const responses: Record<string, unknown> = {}
  for (const [status, answer] of Object.entries(good)) responses[status] = answerOf(answer)
  for (const status of new Set([...bad, 400, 500, 503])) {
    responses[status] = { description: PROBLEMS[status] ?? 'Problem', content: { 'application/problem+json': { schema: Problem } } }
  }
  // The declared answers are documentation: replies are plain objects that the tests hold against these schemas.
  return { response: responses }
}

function answerOf(answer: z.ZodType | { readonly type: string; readonly schema?: z.ZodType; readonly description: string }): unknown {
  if (answer instanceof z.ZodType) return { description: answer.description ?? 'Done.', content: { 'application/json': { schema: answer } } }
  return { description: answer.description, content: { [answer.type]: { schema: answer.schema ?? z.string() } } }
}

/** An answer without a body. */
export const empty = { type: 'text/plain', schema: z.null(), description: 'Done; no body.' }

/** A stream of server-sent events beside the JSON answer. */
export const eventStream = 'With `Accept: text/event-stream` the answer is a live stream instead.'
