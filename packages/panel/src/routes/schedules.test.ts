/*
 * Goal: people make, look at, pause, trigger and delete schedules over HTTP; what cannot be scheduled gets one clear problem.
 * Method: a listening panel over the real store, launcher and schedules; the starts themselves are tested beside the schedules.
 */
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { call, type Answer } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let at: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>
beforeEach(async () => {
  at = await openTestPanel()
  me = await at.user('user')
})
afterEach(() => at.close())
afterAll(closeTestParts)

const post = (path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  call(`${at.url}/api/schedules${path}`, 'POST', { ...me.headers, ...headers }, body)
const get = (path: string, headers: Record<string, string> = me.headers): Promise<Answer> => call(`${at.url}/api/schedules${path}`, 'GET', headers)
const yearly = { flow: 'hello', inputs: { name: 'Ann' }, cron: '0 7 1 1 *', time_zone: 'Europe/Rome' }

test('a schedule is made, read, paused, resumed, triggered and deleted', async () => {
  const made = await post('', { ...yearly, id: 'yearly' })
  expect([made.status, made.headers.get('location')]).toEqual([201, '/api/schedules/yearly'])
  expect(made.body).toEqual({
    id: 'yearly',
    flow: 'hello',
    inputs: { name: 'Ann' },
    user: me.name,
    cron: '0 7 1 1 *',
    time_zone: 'Europe/Rome',
    every_s: null,
    missed: 'once',
    overlap: 'skip',
    paused: false,
    created_at: expect.any(Number) as number,
    next_at: expect.any(Number) as number,
    last_at: null,
    last_fid: null,
    problem: null,
  })
  expect((await get('/yearly')).body).toEqual(made.body)
  expect((await post('/yearly/pause')).body).toMatchObject({ paused: true, next_at: null })
  expect((await post('/yearly/resume')).body).toMatchObject({ paused: false, next_at: made.body['next_at'] })
  const started = await post('/yearly/trigger')
  expect(started.status).toBe(201)
  const fid = String(started.body['fid'])
  expect((await get('/yearly')).body).toMatchObject({ last_fid: fid })
  expect((await call(`${at.url}/api/runs/${fid}`, 'GET', me.headers)).body).toMatchObject({ flow: 'hello', user: me.name })
  expect((await call(`${at.url}/api/schedules/yearly`, 'DELETE', me.headers)).status).toBe(204)
  expect((await get('/yearly')).body).toMatchObject({ status: 404, code: 'unknown_schedule' })
})

test('lists go page by page, of what the caller may see', async () => {
  for (const id of ['a', 'b', 'c']) await post('', { flow: 'hello', inputs: { name: 'Ann' }, every_s: 3600, id: `${me.name}-${id}` })
  const first = await get('?limit=2')
  const second = await get(`?limit=2&after=${String(first.body['next'])}`)
  const ids = [first, second].flatMap(({ body }) => (body['items'] as { id: string }[]).map(({ id }) => id))
  expect([ids, second.body['next']]).toEqual([['a', 'b', 'c'].map((id) => `${me.name}-${id}`), null])
  expect((await get('', (await at.user('user')).headers)).body).toEqual({ items: [], next: null })
  expect((await get('?limit=200', (await at.user('operator')).headers)).body['items']).toHaveLength(3)
})

test('one Idempotency-Key makes one schedule and starts one run', async () => {
  const key = { 'idempotency-key': 'once' }
  const [one, two] = [await post('', yearly, key), await post('', yearly, key)]
  expect(two.body).toEqual(one.body)
  const path = `/${String(one.body['id'])}/trigger`
  const [first, again] = [await post(path, {}, { 'idempotency-key': 'now' }), await post(path, {}, { 'idempotency-key': 'now' })]
  expect(again.body).toEqual(first.body)
})

test.each([
  [{ ...yearly, flow: 'nowhere' }, 404, 'unknown_flow'],
  [{ ...yearly, inputs: { name: '' } }, 422, 'invalid_inputs'],
  [{ ...yearly, cron: 'soon' }, 422, 'bad_timing'],
  [{ ...yearly, time_zone: 'Rome' }, 422, 'bad_timing'],
  [{ ...yearly, every_s: 60 }, 422, 'bad_timing'],
  [{ flow: 'hello', inputs: { name: 'Ann' } }, 422, 'bad_timing'],
  [{ flow: 'hello', inputs: { name: 'Ann' }, every_s: 0 }, 422, 'bad_timing'],
  [{ ...yearly, id: 'a b' }, 422, 'bad_schedule'],
  [{ ...yearly, missed: 'perhaps' }, 422, 'invalid_body'],
])('%j is refused with %i %s', async (body, status, code) => {
  expect((await post('', body)).body).toMatchObject({ status, code })
})

test('an id is taken once', async () => {
  await post('', { ...yearly, id: 'taken' })
  expect((await post('', { ...yearly, id: 'taken' })).body).toMatchObject({ status: 409, code: 'schedule_exists' })
})
