// Goal: the figures of runs and models are those of the events, by day, flow, user and model; a user sees their own. Method: runs with known calls written to the store, read over HTTP; budgets held and let go.
import { must } from '@koco/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestEvent, type TestPanel } from '../testing/test-panel.ts'

type Person = Awaited<ReturnType<TestPanel['user']>>
let at: TestPanel
let boss: Person
let ann: Person
let bob: Person

beforeAll(async () => {
  at = await openTestPanel()
  ;[boss, ann, bob] = await Promise.all([at.user('operator'), at.user('user'), at.user('user')])
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

const get = async (who: Person, query = ''): Promise<Record<string, unknown>> => {
  const { status, body } = await call(`${at.url}/api/insights${query}`, 'GET', who.headers)
  expect(status).toBe(200)
  return body
}
const model = (name: string, cost: number | null): TestEvent => [
  'model',
  { provider: 'acme', model: name, duration_s: 3, tokens: { input_uncached: 10, cache_read: 0, cache_write: 0, output: 5, reasoning: 1 }, cost },
]

test('runs and models are summed by day, flow, user and model, each for who may see them', async () => {
  for (const [who, cost] of [
    [ann, 0.5],
    [ann, 0.25],
    [bob, 2],
  ] as const) {
    const run = await at.run(who.name)
    await run.begin()
    await run.emit([model('large', cost), model('small', null)])
    await run.finish()
  }
  // The events of the test's runs happened on 14 November 2023.
  const range = '?from=2023-11-13&to=2023-11-15'
  const all = await get(boss, range)
  expect(all['totals']).toMatchObject({
    started: 3,
    finished: 3,
    failed: 0,
    calls: 6,
    priced_calls: 3,
    cost: 2.75,
    tokens: { input_uncached: 60, output: 30, reasoning: 6 },
  })
  expect((all['days'] as { day: string; started: number }[]).map(({ day, started }) => [day, started])).toEqual([
    ['2023-11-13', 0],
    ['2023-11-14', 3],
    ['2023-11-15', 0],
  ])
  expect(all['flows']).toMatchObject([{ flow: 'by-hand', started: 3, p50_s: expect.closeTo(0.004, 3) }])
  expect(all['users']).toMatchObject([
    { user: bob.name, cost: 2 },
    { user: ann.name, cost: 0.75, finished: 2 },
  ])
  expect(all['models']).toMatchObject([
    { provider: 'acme', model: 'large', calls: 3, cost: 2.75, mean_s: 3 },
    { provider: 'acme', model: 'small', calls: 3, priced_calls: 0, cost: 0 },
  ])
  expect((await get(ann, range))['totals']).toMatchObject({ started: 2, cost: 0.75 })
  expect((await get(ann, `${range}&user=${bob.name}`))['totals']).toMatchObject({ started: 0, cost: 0 })
  expect((await get(boss, `${range}&user=${bob.name}&flow=by-hand`))['totals']).toMatchObject({ started: 1, cost: 2 })
  expect((await get(boss))['days']).toHaveLength(30)
})

test('a range that is none is refused', async () => {
  for (const query of ['?from=2024-01-02&to=2024-01-01', '?from=2000-01-01', '?from=yesterday']) {
    expect((await call(`${at.url}/api/insights${query}`, 'GET', boss.headers)).status).toBeGreaterThanOrEqual(400)
  }
})

test('a budget holds a run until somebody lets it go on, and a changed one lets it look again by itself', async () => {
  const put = (body: object) => call(`${at.url}/api/budgets/small`, 'PUT', boss.headers, body)
  expect((await put({ per: 'run' })).status).toBe(422)
  expect((await put({ per: 'run', flow: 'spend', cost: 2, assignees: [bob.name] })).body).toMatchObject({ id: 'small', warn_at: 0.8, changed_by: boss.name })
  const { fid } = await at.launcher.start({ flow: 'spend', inputs: { calls: 5 }, user: ann.name, idempotencyKey: null })
  const open = async () => {
    const { items } = await at.store.locks.list({ fid, status: 'open', limit: 1 })
    return items[0]
  }
  const lock = must(await vi.waitUntil(open, { timeout: 25_000, interval: 20 }), 'the question')
  const path = `${at.url}/api/runs/${fid}/locks/${lock.lid}`
  expect((await call(path, 'POST', ann.headers, { answer: { decision: 'go on' } })).status).toBe(403)
  expect((await call(path, 'POST', bob.headers, { answer: { decision: 'go on' }, reason: 'worth it' })).status).toBe(200)
  const second = await vi.waitUntil(async () => {
    const found = await open()
    return found !== undefined && found.lid !== lock.lid && found
  }, 10_000)
  expect(second).toMatchObject({ roles: ['operator'], assignees: [bob.name] })
  expect((await call(`${at.url}/api/budgets/small`, 'DELETE', boss.headers)).status).toBe(204)
  const run = await vi.waitUntil(async () => {
    const found = await at.store.runs.get(fid)
    return found?.status === 'finished' && found
  }, 15_000)
  expect(run).toMatchObject({ usage: { calls: 5, cost: 5 }, openLocks: 0 })
  expect((await call(`${at.url}/api/budgets`, 'GET', boss.headers)).body).toEqual({ items: [], next: null })
  expect((await call(`${at.url}/api/budgets/small`, 'DELETE', boss.headers)).status).toBe(404)
})
