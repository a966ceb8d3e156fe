/*
 * Goal: the description at /openapi.json is OpenAPI 3.1 and tells of each route what goes in, what comes out and which problems there are.
 * Method: the document is read over HTTP and each operation is looked at; that no route is missing is compared with the server's own tree.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { servedRoutes } from '../testing/served-routes.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

type Operation = {
  readonly summary?: string
  readonly tags?: string[]
  readonly parameters?: { name: string; in: string }[]
  readonly responses: Record<string, { content?: object; description?: string }>
}
type Document = {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { schemas: Record<string, unknown> }
}

let at: TestPanel
let document: Document

beforeAll(async () => {
  at = await openTestPanel()
  document = (await (await fetch(`${at.url}/openapi.json`)).json()) as Document
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

const operations = (): (readonly [string, Operation])[] =>
  Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => [`${method.toUpperCase()} ${path}`, one] as const))

/** The session API has words of its own for errors, which programs know. */
const isChat = (name: string): boolean => /\/api\/(session|sessions|chat)(\/|$)/.test(name)

test('it is OpenAPI 3.1 with named schemas', () => {
  expect(document.openapi).toMatch(/^3\.1/)
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(['Run', 'Event', 'Flow', 'Lock', 'Problem', 'User', 'Key', 'Schedule']))
})

test('every operation says what it is, what it answers and its problems', () => {
  for (const [name, operation] of operations()) {
    expect(operation.summary, name).toMatch(/\S/)
    expect(operation.tags?.length, name).toBeGreaterThan(0)
    const statuses = Object.keys(operation.responses)
    expect(
      statuses.some((status) => /^[23]/.test(status)),
      name,
    ).toBe(true)
    expect(statuses, name).toEqual(expect.arrayContaining(['400', '500', '503']))
    if (name.includes('/api/') && !name.includes('/auth/login')) expect(statuses, name).toContain('401')
    if (name.includes('{fid}')) expect(statuses, name).toContain('404')
    for (const status of statuses.filter((one) => /^[45]/.test(one))) {
      const type = isChat(name) ? 'application/json' : 'application/problem+json'
      expect(Object.keys(operation.responses[status]?.content ?? {}), `${name} ${status}`).toEqual([type])
    }
    for (const [, param] of name.matchAll(/\{(\w+)\}/g))
      expect(
        operation.parameters?.some((one) => one.in === 'path' && one.name === param),
        `${name} ${param ?? ''}`,
      ).toBe(true)
  }
})

test('no route is missing, and none is made up', () => {
  const served = servedRoutes(at.panel).filter((route) => route !== 'GET /openapi.json')
  expect(
    operations()
      .map(([name]) => name)
      .toSorted(),
  ).toEqual(served.toSorted())
})

test('the page at /docs is served with its own scripts only', async () => {
  const page = await fetch(`${at.url}/docs/`)
  expect(page.status).toBe(200)
  expect(await page.text()).toContain('swagger-ui')
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
})

test('what /llms.txt tells language models of is there', async () => {
  const text = await (await fetch(`${at.url}/llms.txt`)).text()
  const named = [...text.matchAll(/http:\/\/localhost:3370([^)`\s]+)/g)].map(([, path]) => path)
  expect(named.length).toBeGreaterThan(7)
  for (const path of named) expect(['/docs', '/openapi.json', ...Object.keys(document.paths)]).toContain(path)
})
