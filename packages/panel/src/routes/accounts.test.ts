/*
 * Goal: operators manage users, everybody their own keys; a key is shown once and refused the moment it is deleted.
 * Method: HTTP against a listening panel.
 */
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { call, type Answer } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let at: TestPanel
let boss: Awaited<ReturnType<TestPanel['user']>>

beforeEach(async () => {
  at = await openTestPanel()
  boss = await at.user('operator')
})
afterEach(() => at.close())
afterAll(closeTestParts)

const ask = (method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> =>
  call(at.url + path, method, { ...boss.headers, ...headers }, body)

test('a user is added with a made password, signs in, is changed and deactivated', async () => {
  const added = await ask('POST', '/api/users', { name: 'ann', email: 'ann@example.com' })
  expect(added).toMatchObject({ status: 201, body: { name: 'ann', role: 'user', active: true, password: expect.stringMatching(/^\w{20}$/) as string } })
  const login = (): Promise<Answer> => call(`${at.url}/api/auth/login`, 'POST', {}, { login: 'ann', password: added.body['password'] })
  expect((await login()).status).toBe(200)
  expect(await ask('POST', '/api/users', { name: 'ann', email: 'other@example.com' })).toMatchObject({ status: 409, body: { code: 'user_exists' } })
  expect(await ask('PATCH', '/api/users/ann', { role: 'operator' })).toMatchObject({ status: 200, body: { role: 'operator' } })
  expect(await ask('PATCH', `/api/users/${String(added.body['id'])}`, { active: false })).toMatchObject({ status: 200, body: { active: false } })
  expect((await login()).status).toBe(401)
  const names = ((await ask('GET', '/api/users')).body['items'] as { name: string }[]).map((user) => user.name)
  expect(names).toEqual(['ann', boss.name])
  expect(JSON.stringify((await ask('GET', '/api/users')).body)).not.toContain('argon2')
})

test('names that could be paths, weak passwords and self-demotion are refused', async () => {
  for (const name of ['../x', 'Ann', '', '.', 'a/b', 'x'.repeat(64)]) {
    expect(await ask('POST', '/api/users', { name, email: 'a@example.com' }), name).toMatchObject({ status: 422, body: { errors: [{ path: '/name' }] } })
  }
  expect(await ask('POST', '/api/users', { name: 'bob', email: 'b@example.com', password: 'short' })).toMatchObject({ body: { code: 'weak_password' } })
  expect(await ask('PATCH', `/api/users/${boss.name}`, { role: 'viewer' })).toMatchObject({ status: 409, body: { code: 'own_account' } })
})

test('creating with an Idempotency-Key happens once', async () => {
  const make = (name: string): Promise<Answer> => ask('POST', '/api/keys', { name }, { 'idempotency-key': 'x' })
  const [first, again] = [await make('ci'), await make('ci')]
  expect(again.body).toEqual(first.body)
  expect((await make('other')).status).toBe(422)
  expect((await ask('GET', '/api/keys')).body['items']).toHaveLength(2)
})

test('a key is shown once, works, and is refused once it is deleted', async () => {
  const made = await ask('POST', '/api/keys', { name: 'ci' })
  const key = String(made.body['key'])
  expect(key).toMatch(/^koco_[0-9a-f]{8}_[0-9a-f]{64}$/)
  expect(key).toContain(`_${String(made.body['prefix'])}_`)
  const use = (): Promise<Answer> => call(`${at.url}/api/auth/me`, 'GET', { authorization: `Bearer ${key}` })
  expect(await use()).toMatchObject({ status: 200, body: { via: 'key' } })
  expect(JSON.stringify((await ask('GET', '/api/keys?all=true')).body)).not.toContain(key)
  const other = await at.user('user')
  expect((await call(`${at.url}/api/keys/${String(made.body['id'])}`, 'DELETE', other.headers)).status).toBe(404)
  expect((await ask('DELETE', `/api/keys/${String(made.body['id'])}`)).status).toBe(204)
  expect((await use()).status).toBe(401)
  for (const wrong of ['Bearer x', 'Bearer koco_', `Bearer ${key}x`, 'Basic YTpi'])
    expect((await call(`${at.url}/api/auth/me`, 'GET', { authorization: wrong })).status).toBe(401)
})
