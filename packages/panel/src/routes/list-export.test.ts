// Goal: the list of runs can be taken away as lines and as a table, of exactly the runs that the list shows to whoever asks. Method: more runs than a page of two people, over HTTP.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

const RUNS = 205

let panel: TestPanel
let ann: Awaited<ReturnType<TestPanel['user']>>
let ben: typeof ann
let boss: typeof ann
beforeAll(async () => {
  panel = await openTestPanel()
  ann = await panel.user('user')
  ben = await panel.user('user')
  boss = await panel.user('operator')
  await Promise.all(Array.from({ length: RUNS }, () => panel.run(ann.name)))
  const run = await panel.run(ben.name)
  await run.begin()
  const tokens = { input_uncached: 1, cache_read: 2, cache_write: 3, output: 4, reasoning: 5 }
  await run.emit([
    ['inputs', { inputs: '=1+1' }],
    ['model', { provider: 'p', model: 'm', duration_s: 1, cost: 0.25, tokens }],
  ])
  await run.finish()
})
afterAll(async () => {
  await panel.close()
  await closeTestParts()
})

const get = (query: string, who = ann): Promise<Response> => fetch(`${panel.url}/api/runs/export?${query}`, { headers: who.headers })
const lines = async (query: string, who = ann) =>
  (await (await get(query, who)).text())
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { readonly fid: string; readonly user: string })

test('as lines: each run of the list once, newest first, in the shape of the API', async () => {
  const answer = await get('')
  expect([answer.headers.get('content-type'), answer.headers.get('content-disposition')]).toEqual([
    'application/x-ndjson; charset=utf-8',
    'attachment; filename="runs.jsonl"',
  ])
  const all = await lines('')
  expect([all.length, new Set(all.map(({ fid }) => fid)).size]).toEqual([RUNS, RUNS])
  const { items } = (await call(`${panel.url}/api/runs?limit=200`, 'GET', ann.headers)).body
  expect(all.slice(0, 200)).toEqual(items)
  expect((await lines('limit=203')).map(({ fid }) => fid)).toEqual(all.slice(0, 203).map(({ fid }) => fid))
})

test('as a table: times as ISO 8601, what a spreadsheet would take for a formula only as text', async () => {
  const answer = await get('format=csv', ben)
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  const [head = '', row = '', end, ...more] = (await answer.text()).split('\r\n')
  expect([end, more]).toEqual(['', []])
  const cells = row.split(',')
  const told = Object.fromEntries(head.split(',').map((name, at) => [name, cells[at]]))
  expect(told).toMatchObject({ user: ben.name, about: "'=1+1", status: 'finished', model_calls: '1', cache_write: '3', cost: '0.25', error: '' })
  expect(told['created_at']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('the filter of the list narrows it, and nobody gets what the list would not show', async () => {
  expect(await lines('status=finished')).toEqual([])
  expect(await lines(`user=${ben.name}`)).toEqual([])
  expect((await lines('status=finished', boss)).map(({ user }) => user)).toEqual([ben.name])
  expect(await (await get(`format=csv&user=${ben.name}`)).text()).toMatch(/^fid,flow,[\w,]+\r\n$/)
  expect((await fetch(`${panel.url}/api/runs/export`)).status).toBe(401)
  expect((await get('limit=100001')).status).toBe(400)
})
