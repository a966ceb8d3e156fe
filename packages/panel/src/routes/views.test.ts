/*
 * Goal: a person finds their saved views wherever they sign in; others see what is shared, and change nothing of it.
 * Method: HTTP against a listening panel.
 */
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { call, type Answer } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

type Person = Awaited<ReturnType<TestPanel['user']>>

let at: TestPanel
let ann: Person
let bob: Person

beforeEach(async () => {
  at = await openTestPanel()
  ann = await at.user('user')
  bob = await at.user('viewer')
})
afterEach(() => at.close())
afterAll(closeTestParts)

const ask = (who: Person, method: string, path: string, body?: object): Promise<Answer> => call(at.url + path, method, who.headers, body)
const names = async (who: Person): Promise<unknown[]> =>
  ((await ask(who, 'GET', '/api/views')).body['items'] as { name: string; user: string; mine: boolean }[]).map(({ name, user, mine }) => [name, user, mine])

test('a view is kept for its owner, replaced under its name, and seen by others while it is shared', async () => {
  const first = await ask(ann, 'POST', '/api/views', { name: ' What failed ', search: { status: 'error' } })
  expect(first).toMatchObject({ status: 201, body: { name: 'What failed', search: { status: 'error' }, shared: false, mine: true, user: ann.name } })
  expect(await names(bob)).toEqual([])
  const again = await ask(ann, 'POST', '/api/views', { name: 'What failed', search: { status: 'error', since: '24h' }, shared: true })
  expect(again.body).toMatchObject({ id: first.body['id'], search: { since: '24h' }, shared: true })
  expect(await names(ann)).toEqual([['What failed', ann.name, true]])
  expect(await names(bob)).toEqual([['What failed', ann.name, false]])
})

test('nobody deletes a view of another but an operator, and that only if it is shared', async () => {
  const boss = await at.user('operator')
  const id = async (shared: boolean): Promise<string> =>
    String((await ask(ann, 'POST', '/api/views', { name: `shared ${shared}`, search: {}, shared })).body['id'])
  const [own, shared] = [await id(false), await id(true)]
  expect(await ask(bob, 'DELETE', `/api/views/${shared}`)).toMatchObject({ status: 404, body: { code: 'unknown_view' } })
  expect((await ask(boss, 'DELETE', `/api/views/${own}`)).status).toBe(404)
  expect((await ask(boss, 'DELETE', `/api/views/${shared}`)).status).toBe(204)
  expect((await ask(ann, 'DELETE', `/api/views/${own}`)).status).toBe(204)
  expect(await names(ann)).toEqual([])
})

test('a viewer keeps views but shares none; what is no filter, and more than the limit, is refused', async () => {
  expect((await ask(bob, 'POST', '/api/views', { name: 'mine', search: { q: 'x' } })).status).toBe(201)
  expect(await ask(bob, 'POST', '/api/views', { name: 'mine', search: {}, shared: true })).toMatchObject({ status: 403, body: { code: 'not_allowed' } })
  for (const body of [
    { name: ' ', search: {} },
    { name: 'x\u0000', search: {} },
    { name: 'x', search: { 'a b': 'c' } },
    { name: 'x', search: { q: 'x'.repeat(201) } },
  ])
    expect((await ask(bob, 'POST', '/api/views', body)).status, JSON.stringify(body)).toBe(422)
  for (let n = 1; n < 100; n += 1) await at.admin.views.put({ id: `v${n}`, userId: bob.id, name: `view ${n}`, search: {}, shared: false, savedAt: n })
  expect(await ask(bob, 'POST', '/api/views', { name: 'one more', search: {} })).toMatchObject({ status: 409, body: { code: 'too_many_views' } })
  expect((await ask(bob, 'POST', '/api/views', { name: 'mine', search: {} })).status).toBe(201)
})
