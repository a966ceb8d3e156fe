/*
 * Goal: no request, however odd, is answered by a server's error, and none ends the server: what is wrong with it is a problem with a code.
 * Method: for each operation of /openapi.json requests drawn by its own schemas (and against them): parameters, cursors, headers, bodies, as an operator, whom nothing stops. A failure prints its seed.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

type Schema = Readonly<Record<string, unknown>>
type Parameter = { readonly name: string; readonly in: string; readonly schema?: Schema }
type Operation = { readonly method: string; readonly path: string; readonly parameters: readonly Parameter[]; readonly body: Schema | undefined }
type Described = { parameters?: Parameter[]; requestBody?: { content?: Record<string, { schema?: Schema }> } }
type Document = { readonly paths: Record<string, Record<string, Described>>; readonly components: { readonly schemas: Record<string, Schema> } }

/** Requests to each operation; one in so many is drawn without a look at the schema. */
const REQUESTS = 12
const DEPTH_MAX = 4
/** A request that is never answered is one that the failure has to name. */
const ANSWER_MS = 30_000

let at: TestPanel
let document: Document
let headers: Readonly<Record<string, string>>
let known: readonly string[]

beforeAll(async () => {
  at = await openTestPanel()
  const operator = await at.user('operator')
  headers = operator.headers
  const { fid, lid } = await at.asking(operator.name)
  known = [fid, lid, 'ask', 'by-hand', operator.id, operator.name]
  document = (await (await fetch(`${at.url}/openapi.json`)).json()) as Document
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '..',
    '../../etc/passwd',
    '%00',
    '\u0000',
    "' or 1=1 --",
    '[object Object]',
    '-1',
    '1e999',
    '0-0',
    '9007199254740993-1',
    'a'.repeat(3000),
    '\u202Efdp',
  ),
)
// Cursors are base64 of something: what is inside may be anything.
const oddCursor = fc.oneof(fc.json({ maxDepth: 2 }), fc.string({ unit: 'binary' })).map((text) => Buffer.from(text).toString('base64url'))
const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, 1e308, -0, '\uD800', ['__proto__'], JSON.parse('{"__proto__":{"role":"operator"},"constructor":1}') as object),
)

/** Values that a schema describes, now and then others. */
function valuesOf(schema: Schema | undefined, depth = 0): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 8, arbitrary: fittingOf(schema, depth) }, { weight: 1, arbitrary: oddValue })
}

function fittingOf(schema: Schema | undefined, depth: number): fc.Arbitrary<unknown> {
  if (schema === undefined || depth > DEPTH_MAX) return oddValue
  const { $ref, enum: options, const: only, anyOf, oneOf, allOf, type, properties, items, minimum = -5, maximum = 5000 } = schema
  if (typeof $ref === 'string') return fittingOf(document.components.schemas[$ref.split('/').at(-1) ?? ''], depth + 1)
  if (only !== undefined) return fc.constant(only)
  if (Array.isArray(options)) return fc.constantFrom(...(options as unknown[]))
  const several = (anyOf ?? oneOf ?? allOf) as Schema[] | undefined
  if (several && several.length > 0) return fc.oneof(...several.map((one) => fittingOf(one, depth + 1)))
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries((properties ?? {}) as Record<string, Schema>).map(([name, one]) => [name, valuesOf(one, depth + 1)])),
        {
          requiredKeys: [],
        },
      )
    case 'array':
      return fc.array(valuesOf(items as Schema, depth + 1), { maxLength: 3 })
    case 'integer':
    case 'number':
      return fc.oneof(fc.integer({ min: Math.max(Number(minimum), -1e6), max: Math.min(Number(maximum), 1e6) }), fc.double())
    case 'boolean':
      return fc.boolean()
    case 'string':
      return fc.oneof(fc.constantFrom(...known), oddText, oddCursor)
    default:
      return oddValue
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function requestsTo({ method, path, parameters, body }: Operation) {
  const given = parameters.map(({ name, in: where, schema }) => ({ name, where, value: fc.oneof(valuesOf(schema), fc.constantFrom(...known), oddText) }))
  const bodies = fc.oneof({ weight: 6, arbitrary: valuesOf(body).map(textOf) }, fc.constantFrom('', '{', '[]', 'null', '{"a":'.repeat(900), '"\u0000"'))
  return fc.record({
    method: fc.constant(method),
    path: fc.constant(path),
    parameters: fc.tuple(
      ...given.map(({ name, where, value }) => fc.record({ name: fc.constant(name), where: fc.constant(where), value, left: fc.boolean() })),
    ),
    body: body === undefined ? fc.constant(undefined) : fc.option(bodies, { nil: undefined }),
    // A header's value has the characters of a header.
    cursor: fc.option(fc.stringMatching(/^[ -~]{0,60}$/), { nil: undefined, freq: 3 }),
  })
}

type Drawn = ReturnType<typeof requestsTo> extends fc.Arbitrary<infer T> ? T : never

async function send({ method, path, parameters, body, cursor }: Drawn): Promise<Response> {
  const query = new URLSearchParams()
  let url = path
  for (const { name, where, value, left } of parameters) {
    if (where === 'path') url = url.replace(`{${name}}`, encodeURIComponent(textOf(value).toWellFormed()) || 'x')
    else if (where === 'query' && !left) query.append(name, textOf(value).toWellFormed())
  }
  const more = {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(cursor !== undefined && { 'last-event-id': cursor, 'idempotency-key': cursor }),
  }
  // A wait that is asked for would be granted.
  return fetch(`${at.url}${url}?${query.toString()}`, { method, headers: { ...headers, ...more }, redirect: 'manual', ...(body !== undefined && { body }) })
}

function operations(): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content?.['application/json']?.schema,
    })),
  )
}

/** The session API has words of its own for errors, which programs know; uploads speak tus. */
const speaksProblems = (path: string): boolean => !/\/api\/(session|sessions|chat|uploads)(\/|$)/.test(path)

test('each operation answers odd requests with an answer or a problem, never with an error of the server', async () => {
  const all = operations()
  expect(all.length).toBeGreaterThan(50)
  let granted = 0
  for (const operation of all) {
    await fc.assert(
      fc.asyncProperty(requestsTo(operation), async (drawn) => {
        const answer = await send(drawn)
        if (answer.ok) granted += 1
        const type = answer.headers.get('content-type') ?? ''
        const text = type.includes('event-stream') ? '' : await answer.text()
        if (type.includes('event-stream')) await answer.body?.cancel()
        expect(answer.status, `${drawn.method} ${drawn.path}: ${text}`).toBeLessThan(500)
        if (answer.status >= 400 && speaksProblems(drawn.path))
          expect(JSON.parse(text), text).toMatchObject({ status: answer.status, code: expect.stringMatching(/^[a-z_]+$/) })
      }),
      { numRuns: REQUESTS, endOnFailure: true, timeout: ANSWER_MS },
    )
  }
  expect((await fetch(`${at.url}/readyz`)).status).toBe(200)
  // Odd ones that nobody took would prove little.
  expect(granted).toBeGreaterThan(all.length / 2)
}, 180_000)
