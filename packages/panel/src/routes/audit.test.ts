// Goal: who did what is on record before they hear of it, with no secret in it, and comes out as lines or a table. Method: deeds of all kinds over HTTP, then the log as an operator reads it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

type Person = Awaited<ReturnType<TestPanel['user']>>
let at: TestPanel
let boss: Person
let user: Person

beforeAll(async () => {
  at = await openTestPanel()
  ;[boss, user] = await Promise.all([at.user('operator'), at.user('user')])
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

const log = async (query: string): Promise<Record<string, unknown>[]> =>
  (await call(`${at.url}/api/audit?${query}`, 'GET', boss.headers)).body['items'] as Record<string, unknown>[]

test('starts, answers, controls, keys, users and refusals are there, newest first', async () => {
  const { fid, lid } = await at.asking(user.name)
  const asUser = (path: string, method: string, body?: object) => call(at.url + path, method, user.headers, body)
  const started = await asUser('/api/runs', 'POST', { flow: 'hello', inputs: { name: 'my secret' } })
  await asUser(`/api/runs/${fid}/locks/${lid}`, 'POST', { answer: { go: true }, reason: 'fine' })
  await asUser(`/api/runs/${fid}/cancel`, 'POST', { reason: 'enough' })
  const key = await asUser('/api/keys', 'POST', { name: 'ci' })
  await asUser('/api/users', 'POST', { name: 'eve', email: 'eve@example.com', role: 'operator' })
  await call(`${at.url}/api/users`, 'POST', boss.headers, { name: 'zoe', email: 'zoe@example.com', role: 'user', password: 'correct horse battery' })
  await call(`${at.url}/api/auth/login`, 'POST', {}, { login: 'zoe', password: 'wrong horse' })
  const signedIn = await call(`${at.url}/api/auth/login`, 'POST', {}, { login: 'zoe', password: 'correct horse battery' })
  expect(signedIn.status).toBe(200)
  const mine = await log(`actor=${user.name}`)
  expect(mine.map(({ action, target, status, via }) => [action, target, status, via])).toEqual([
    ['user.add', '', 403, 'key'],
    ['key.make', '', 201, 'key'],
    ['run.cancel', fid, expect.any(Number), 'key'],
    ['lock.answer', `${fid}/${lid}`, 200, 'key'],
    ['run.start', started.body['fid'], 201, 'key'],
  ])
  expect(mine.map(({ detail }) => detail)).toEqual([
    // Refused before anybody read what was sent.
    {},
    { name: 'ci' },
    { reason: 'enough' },
    { reason: 'fine' },
    { flow: 'hello' },
  ])
  expect((await log('actor=zoe')).map(({ action, status, via }) => [action, status, via])).toEqual([
    ['account.sign_in', 200, 'none'],
    ['account.sign_in', 401, 'none'],
  ])
  expect((await log('action=user&limit=9')).map(({ actor }) => actor)).toEqual([boss.name, user.name])
  const whole = JSON.stringify(await log('limit=500'))
  for (const secret of ['my secret', 'horse', String(key.body['key'])]) expect(whole).not.toContain(secret)
})

test('reading changes nothing, and nobody but operators reads it', async () => {
  const before = (await log('limit=500')).length
  await call(`${at.url}/api/runs`, 'GET', user.headers)
  expect((await call(`${at.url}/api/audit`, 'GET', user.headers)).status).toBe(403)
  expect((await call(`${at.url}/api/runs/x/cancel`, 'POST', {})).status).toBe(401)
  expect((await log('limit=500')).length).toBe(before)
})

test('the export has every entry, as lines and as a table that no spreadsheet takes for formulas', async () => {
  await at.admin.audit.add([{ at: 5, actor: '=1+1', via: 'none', action: 'account.sign_in', target: 'a "b", c', status: 401, detail: {}, address: '::1' }])
  const lines = await (await fetch(`${at.url}/api/audit/export`, { headers: boss.headers })).text()
  const all = lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { action: string })
  expect(all.length).toBe((await log('limit=500')).length)
  const table = await fetch(`${at.url}/api/audit/export?format=csv&to=10`, { headers: boss.headers })
  expect(table.headers.get('content-type')).toContain('text/csv')
  expect((await table.text()).split('\r\n')).toEqual([
    'time,actor,via,action,target,status,address,detail',
    `1970-01-01T00:00:05.000Z,'=1+1,none,account.sign_in,"a ""b"", c",401,::1,{}`,
    '',
  ])
  expect((await log('action=audit.export')).length).toBe(2)
})

test('a start whose answer waits for the end of the run is on record while it waits', async () => {
  const waiting = call(`${at.url}/api/runs`, 'POST', { ...user.headers, prefer: 'wait=60' }, { flow: 'ask', inputs: {} })
  const entry = async () => (await log(`actor=${user.name}&action=run.start`))[0]
  await expect.poll(entry).toMatchObject({ status: 201, detail: { flow: 'ask' } })
  const { target: fid } = (await entry()) ?? {}
  await call(`${at.url}/api/runs/${String(fid)}/cancel`, 'POST', user.headers, {})
  expect((await waiting).body).toMatchObject({ fid, status: 'cancelled' })
  expect(await log(`actor=${user.name}&action=run.start&target=${String(fid)}`)).toHaveLength(1)
})

test('deeds that come at once are all on record', async () => {
  const runs = await Promise.all(Array.from({ length: 40 }, () => call(`${at.url}/api/runs`, 'POST', boss.headers, { flow: 'hello', inputs: { name: 'A' } })))
  const logged = new Set((await log(`actor=${boss.name}&action=run.start&limit=500`)).map(({ target }) => target))
  expect(runs.every(({ body }) => logged.has(body['fid']))).toBe(true)
})
