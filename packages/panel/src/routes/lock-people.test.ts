// Goal: a question is seen and answered by those that it is put to and by no one else, and why they answered so is kept. Method: real runs that name people, asked over HTTP as different users.
import { must } from '@koco/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

type Person = Awaited<ReturnType<TestPanel['user']>>
let at: TestPanel
let owner: Person
let ann: Person
let bob: Person
let viewer: Person
let boss: Person

beforeAll(async () => {
  at = await openTestPanel()
  ;[owner, ann, bob, viewer, boss] = await Promise.all([at.user('user'), at.user('user'), at.user('user'), at.user('viewer'), at.user('operator')])
})
afterAll(async () => {
  await at.close()
  await closeTestParts()
})

async function asking(assignees: readonly string[], roles: readonly string[] = []): Promise<string> {
  const { fid } = await at.launcher.start({
    flow: 'ask-people',
    inputs: { assignees: [...assignees], roles: [...roles] },
    user: owner.name,
    idempotencyKey: null,
  })
  const lid = await vi.waitUntil(async () => (await at.store.locks.list({ fid, limit: 1 })).items[0]?.lid, { timeout: 25_000, interval: 20 })
  return `/api/runs/${fid}/locks/${must(lid, 'the lock')}`
}

const ask = (who: Person, path: string, method = 'GET', body?: object) => call(at.url + path, method, who.headers, body)
const inbox = async (who: Person): Promise<Record<string, unknown>[]> => (await ask(who, '/api/locks?limit=200')).body['items'] as Record<string, unknown>[]

test('who is named sees the question in the inbox and answers it with a reason; the owner sees it and is refused by name', async () => {
  const path = await asking([ann.name, viewer.name])
  const mine = (await inbox(ann)).find(({ user }) => user === owner.name)
  expect(mine).toMatchObject({ assignees: [ann.name, viewer.name], roles: [], may_answer: true, for_me: true })
  expect((await inbox(owner)).find(({ lid }) => lid === mine?.['lid'])).toMatchObject({ may_answer: false, for_me: false })
  expect((await inbox(boss)).find(({ lid }) => lid === mine?.['lid'])).toMatchObject({ may_answer: true, for_me: false })
  expect(await inbox(bob)).toEqual([])
  expect(await ask(owner, path, 'POST', { answer: { go: true } })).toMatchObject({
    status: 403,
    body: { code: 'not_yours_to_answer', detail: expect.stringContaining(`${ann.name}, ${viewer.name} or an operator`) },
  })
  expect((await ask(bob, path, 'POST', { answer: { go: true } })).status).toBe(404)
  expect((await ask(bob, path)).status).toBe(404)
  expect((await ask(viewer, path)).body).toMatchObject({ for_me: true, may_answer: false })
  expect(await ask(viewer, path, 'POST', { answer: { go: true } })).toMatchObject({ status: 403, body: { code: 'not_allowed' } })
  // The question is theirs to see, the run is not.
  expect((await ask(ann, path.split('/locks')[0] ?? '')).status).toBe(404)
  expect((await ask(ann, path, 'POST', { answer: { go: true }, reason: ' It is cheap. ' })).body).toMatchObject({ outcome: 'accepted' })
  expect(await ask(boss, path, 'POST', { answer: { go: true } })).toMatchObject({
    status: 409,
    body: { code: 'lock_answered', detail: expect.stringContaining(ann.name) },
  })
  const kept = await vi.waitUntil(async () => {
    const { body } = await ask(owner, path)
    return body['status'] === 'answered' && body
  })
  expect(kept).toMatchObject({ answered_by: ann.name, reason: 'It is cheap.', answer: { go: true } })
  const fid = path.split('/')[3] ?? ''
  const events = (await ask(owner, `/api/runs/${fid}/events?kind=lease`)).body['items'] as { data: unknown }[]
  expect(events[0]?.data).toMatchObject({ by: ann.name, reason: 'It is cheap.' })
})

test('a role puts a question to all who have it', async () => {
  const path = await asking([], ['operator'])
  expect((await ask(owner, path)).body).toMatchObject({ roles: ['operator'], may_answer: false })
  expect((await ask(owner, path, 'POST', { answer: { go: true } })).body).toMatchObject({ detail: 'This question is for an operator to answer.' })
  expect((await ask(boss, path)).body).toMatchObject({ for_me: true })
  expect((await ask(boss, path, 'POST', { answer: { go: false } })).status).toBe(200)
  const everybody = await asking([], ['user'])
  expect((await ask(bob, everybody)).body).toMatchObject({ for_me: true, may_answer: true })
})

test('of two who answer at once one wins, and the other is told by whom', async () => {
  const path = await asking([ann.name, bob.name])
  const both = await Promise.all([ann, bob].map(async (who) => ({ who, ...(await ask(who, path, 'POST', { answer: { go: true } })) })))
  const won = must(
    both.find(({ status }) => status === 200),
    'a winner',
  )
  const lost = must(
    both.find(({ status }) => status === 409),
    'another',
  )
  expect(lost.body).toMatchObject({ code: 'lock_answered', detail: expect.stringContaining(won.who.name) })
})
