/*
 * Goal: programs are told of what they asked for, signed and in a form that they know, until it has arrived; nobody is told more than they may read, and nothing goes to private addresses.
 * Method: a listening panel over the real store, runs under the test's hand, and a real HTTP server that takes the notices and checks them with the library that receivers use.
 */
import { must, type WebhookEvent } from '@koco/core'
import type { WebhookDelivery } from '@koco/core/api'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { call, type Answer } from '../testing/call.ts'
import { Receiver, type Notice } from '../testing/receiver.ts'
import { closeTestParts, openTestPanel, type TestPanel, type TestPanelOptions } from '../testing/test-panel.ts'
import type { WebhookSettings } from './deliver.ts'

let receiver: Receiver
let at: TestPanel
let boss: Awaited<ReturnType<TestPanel['user']>>
let nowMs = Date.now()

beforeAll(async () => {
  receiver = await Receiver.listen()
})
const webhooks: WebhookSettings = { isPrivateAllowed: true, timeoutMs: 30_000, retriesS: [10, 100], disableAfterS: 1_000 }
const open = (change: Partial<WebhookSettings> = {}, more: TestPanelOptions = {}): Promise<TestPanel> =>
  openTestPanel({ clock: () => nowMs, settings: { lookAgainMs: 50, webhooks: { ...webhooks, ...change } }, ...more })
beforeEach(async () => {
  nowMs = Date.now()
  receiver.reset()
  at = await open()
  boss = await at.user('operator')
})
afterEach(async () => {
  for (const { id } of await at.store.webhooks.list()) await at.store.webhooks.delete(id)
  await at.close()
})
afterAll(async () => {
  await receiver.close()
  await closeTestParts()
})

const api = (method: string, path: string, body?: object, who = boss): Promise<Answer> => call(`${at.url}/api/webhooks${path}`, method, who.headers, body)
async function make(events: readonly WebhookEvent[], more: object = {}, who = boss): Promise<{ readonly id: string; readonly secret: string }> {
  const made = await api('POST', '', { url: receiver.url, events, ...more }, who)
  expect(made.body).toMatchObject({ events, paused: false, failing_since: null })
  return { id: String(made.body['id']), secret: String(made.body['secret']) }
}
const log = async (id: string): Promise<readonly WebhookDelivery[]> => (await api('GET', `/${id}/deliveries`)).body['items'] as WebhookDelivery[]
const settledOf = (id: string, fid: string, state: WebhookDelivery['state'], attempts: number): Promise<boolean> =>
  vi.waitUntil(async () => (await log(id)).some((one) => one.fid === fid && one.state === state && one.attempts === attempts && one.last_at !== null), {
    timeout: 20_000,
    interval: 20,
  })
/** The notice, once its outcome is on the log. */
function settled(id: string, state: WebhookDelivery['state'], attempts: number): Promise<WebhookDelivery> {
  const found = async () => (await log(id)).find((one) => one.state === state && one.attempts === attempts && one.last_at !== null)
  return vi.waitUntil<WebhookDelivery | undefined>(found, { timeout: 20_000, interval: 20 }).then((one) => must(one, 'the notice'))
}

test('the end of a run is told as a signed CloudEvent with its links and without its contents', async () => {
  const { id, secret } = await make(['run.finished'])
  const run = await at.run('somebody')
  await run.begin()
  await run.finish()
  const notice = await receiver.next()
  receiver.verify(notice, secret)
  expect(notice.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8')
  expect(JSON.parse(notice.body)).toEqual({
    specversion: '1.0',
    id: notice.id,
    source: 'http://localhost:3370',
    type: 'koco.run.finished.v1',
    subject: run.fid,
    time: expect.stringMatching(/Z$/) as string,
    datacontenttype: 'application/json',
    data: {
      event: 'run.finished',
      webhook: id,
      run: { fid: run.fid, flow: 'by-hand', user: 'somebody' },
      links: { page: `http://localhost:3370/runs/${run.fid}`, api: `http://localhost:3370/api/runs/${run.fid}` },
    },
  })
  expect(await settled(id, 'delivered', 1)).toMatchObject({ id: notice.id, fid: run.fid, last_status: 204, problem: null, next_at: null })
})

test('inputs and results go along when the webhook asks for them; a question brings its form and where to answer', async () => {
  await make(['run.finished', 'question.waiting'], { bodies: true, flow: 'ask' })
  const other = await at.run('somebody')
  await other.begin()
  await other.finish()
  const { fid, lid } = await at.asking('somebody')
  const asked = dataOf(await receiver.next())
  expect(asked).toMatchObject({
    event: 'question.waiting',
    run: { fid },
    question: { lid },
    form: { type: 'object' },
    links: { answer: expect.stringContaining(lid) as string },
  })
  await at.launcher.answer(fid, lid, { go: true }, 'somebody')
  expect(dataOf(await receiver.next())).toMatchObject({ event: 'run.finished', run: { fid, flow: 'ask' }, inputs: {}, error: null })
})

test('what does not arrive is sent again later under the same id and a new time, then given up; it can be sent again by hand', async () => {
  receiver.answer = () => ({ status: 503 })
  const { id, secret } = await make(['run.error', 'run.finished'])
  const run = await at.run('somebody')
  await run.begin()
  await run.finish()
  const [first, waiting] = [await receiver.next(), await settled(id, 'waiting', 1)]
  expect(waiting).toMatchObject({ last_status: 503, problem: 'It answered 503.' })
  expect(must(waiting.next_at, 'next') - nowMs / 1000).toSatisfy((wait: number) => wait >= 7.9 && wait <= 12.1)
  nowMs += 12_100
  const second = await receiver.next()
  expect([second.id, second.body]).toEqual([first.id, first.body])
  expect(second.headers['webhook-timestamp']).not.toBe(first.headers['webhook-timestamp'])
  await settled(id, 'waiting', 2)
  nowMs += 121_000
  await receiver.next()
  expect(await settled(id, 'failed', 3)).toMatchObject({ next_at: null })
  expect((await api('GET', `/${id}`)).body['failing_since']).toBeGreaterThan(1)
  receiver.answer = () => ({ status: 200 })
  expect((await api('POST', `/${id}/deliveries/${first.id}/resend`)).status).toBe(202)
  const again = await receiver.next()
  receiver.verify(again, secret)
  expect(again.id).toBe(first.id)
  await settled(id, 'delivered', 1)
  expect((await api('GET', `/${id}`)).body['failing_since']).toBeNull()
})

test('a redirect is not followed, and an address that is gone is paused', async () => {
  const { id } = await make(['run.error'])
  receiver.answer = () => ({ status: 302, headers: { location: receiver.url } })
  await api('POST', `/${id}/test`)
  expect(await settled(id, 'failed', 1)).toMatchObject({
    last_status: 302,
    problem: 'It answered 302: redirects are not followed, give the address where it leads.',
  })
  expect(receiver.count).toBe(1)
  await api('DELETE', `/${id}`)
  const gone = await make(['run.error'])
  receiver.answer = () => ({ status: 410 })
  await api('POST', `/${gone.id}/test`)
  await settled(gone.id, 'failed', 1)
  await vi.waitUntil(async () => (await api('GET', `/${gone.id}`)).body['paused'] === true, { timeout: 20_000, interval: 20 })
  expect((await api('POST', `/${gone.id}/test`)).body).toMatchObject({ status: 409, code: 'webhook_paused' })
})

test('an address to which nothing has arrived for days is disabled, who looks after webhooks is told so, and on resuming it gets what it missed', async () => {
  // The runs of these tests end on 14 November 2023: the address fails before that.
  nowMs = 1_690_000_000_000
  const { id } = await make(['run.finished'], { runs_of: 'unlucky' })
  const watcher = await make(['webhook.disabled'])
  const finishedRun = async (): Promise<string> => {
    const run = await at.run('unlucky')
    await run.begin()
    await run.finish()
    return run.fid
  }
  receiver.answer = ({ body }) => ({ status: (JSON.parse(body) as { type: string }).type.includes('run') ? 500 : 204 })
  const givenUp = async (): Promise<string> => {
    const fid = await finishedRun()
    for (const sent of [1, 2, 3]) {
      await receiver.next()
      await settledOf(id, fid, sent === 3 ? 'failed' : 'waiting', sent)
      nowMs += 121_000
    }
    return fid
  }
  const first = await givenUp()
  expect((await api('GET', `/${id}`)).body).toMatchObject({ paused: false, paused_because: null })
  nowMs += 1_000_000
  const second = await givenUp()
  const told = await receiver.next()
  receiver.verify(told, watcher.secret)
  expect(dataOf(told)).toMatchObject({ event: 'webhook.disabled', detail: id, links: { page: 'http://localhost:3370/webhooks' } })
  expect((await api('GET', `/${id}`)).body).toMatchObject({ paused: true, paused_because: 'failing' })
  const missed = await finishedRun()
  receiver.answer = () => ({ status: 204 })
  expect((await api('PATCH', `/${id}`, { paused: false, missed: true })).body).toMatchObject({ paused: false, paused_at: null, failing_since: null })
  for (const fid of [first, second, missed]) await settledOf(id, fid, 'delivered', 1)
  expect(await log(id)).toHaveLength(3)
})

test('runs that wait for a worker that is not there are an alarm of their flow, until one is back', async () => {
  const { id } = await make(['flow.cold', 'flow.served'], { flow: 'by-hand' })
  const beat = () =>
    at.store.flows.heartbeat({ id: 'w1', launcher: 'temporal', host: 'h', pid: 1, seenAt: nowMs / 1000 }, [
      { name: 'by-hand', version: null, summary: '', description: '', tags: [], author: null, inputs: {} },
    ])
  await beat()
  const run = await at.run('somebody')
  await run.begin()
  nowMs += 70_000
  const cold = await receiver.next()
  expect(dataOf(cold)).toEqual({
    event: 'flow.cold',
    webhook: id,
    flow: 'by-hand',
    links: { page: 'http://localhost:3370/flows/by-hand', api: 'http://localhost:3370/api/flows/by-hand' },
  })
  expect(await (await fetch(`${at.url}/metrics`)).text()).toMatch(/koco_flows_cold_waiting 1/)
  await beat()
  nowMs += 6_000
  expect(dataOf(await receiver.next())).toMatchObject({ event: 'flow.served', flow: 'by-hand' })
  await run.finish()
  await at.store.flows.leave('w1')
})

test('an address that only hangs is let go of, and private ones are not called', async () => {
  await at.close()
  at = await open({ timeoutMs: 300 })
  boss = await at.user('operator')
  receiver.answer = () => 'never'
  const hangs = await make(['run.error'])
  await api('POST', `/${hangs.id}/test`)
  expect(await settled(hangs.id, 'failed', 1)).toMatchObject({ last_status: null, problem: 'It did not answer within 0.3 s.' })
  await at.close()
  at = await open({ isPrivateAllowed: false })
  boss = await at.user('operator')
  const seen = receiver.count
  for (const url of [
    receiver.url,
    'https://127.0.0.1/',
    'https://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/',
    'https://localhost/',
    'https://a:b@example.com/',
    'ftp://example.com/',
  ])
    expect((await api('POST', '', { url, events: ['run.error'] })).body, url).toMatchObject({ status: 422, code: 'bad_webhook_url' })
  // Made while it was allowed.
  await at.store.webhooks.create({ ...must(await at.store.webhooks.get(hangs.id), 'the webhook'), id: 'wh_older', user: boss.name })
  await api('POST', '/wh_older/test')
  const failed = await settled('wh_older', 'failed', 1)
  expect(failed.problem).toContain('It must be https')
  expect(receiver.count).toBe(seen)
})

test('a user is told of their own runs only, and of nothing once they may not sign in; secrets are shown once and can be replaced', async () => {
  const user = await at.user('user')
  const { id, secret } = await make(['run.finished'], {}, user)
  expect((await api('GET', '', undefined, user)).body['items']).toEqual([expect.objectContaining({ id, runs_of: user.name })])
  expect(JSON.stringify((await api('GET', '')).body)).not.toContain(secret)
  for (const body of [{ events: ['dead.event'] }, { events: ['run.error'], runs_of: 'else' }, { events: ['run.error'], runs_of: null }])
    expect((await api('POST', '', { url: receiver.url, ...body }, user)).body, JSON.stringify(body)).toMatchObject({ status: 403, code: 'not_allowed' })
  expect((await api('PATCH', `/${id}`, { events: ['alarm.raised'] }, user)).status).toBe(403)
  for (const owner of ['somebody-else', user.name]) {
    const run = await at.run(owner)
    await run.begin()
    await run.finish()
  }
  expect(dataOf(await receiver.next())).toMatchObject({ run: { user: user.name } })
  expect(await log(id)).toHaveLength(1)
  const replaced = await api('POST', `/${id}/secret`, {}, user)
  await api('POST', `/${id}/test`, {}, user)
  const tested = await receiver.next()
  expect(() => receiver.verify(tested, secret)).toThrow('the signature')
  receiver.verify(tested, String(replaced.body['secret']))
  await at.admin.users.update(user.id, { active: false })
  await api('POST', `/${id}/test`)
  expect(await settled(id, 'failed', 1)).toMatchObject({ problem: `${user.name}, who made this webhook, may not be told of this any more.` })
  expect(receiver.count).toBe(2)
})

test('several panels over one store send each notice once', async () => {
  const others = [await open({}, { admin: at.admin }), await open({}, { admin: at.admin })]
  const { id } = await make(['run.finished'])
  const runs = await Promise.all(Array.from({ length: 12 }, () => at.run('somebody')))
  for (const run of runs) {
    await run.begin()
    await run.finish()
  }
  await vi.waitUntil(async () => (await log(id)).filter(({ state }) => state === 'delivered').length === 12, { timeout: 20_000, interval: 20 })
  expect(receiver.count).toBe(12)
  for (const other of others) await other.close()
})

test('the figures say what was sent and what waits, and the audit log who made it', async () => {
  const { id } = await make(['run.finished'])
  await api('POST', `/${id}/test`)
  await settled(id, 'delivered', 1)
  const metrics = async () => (await fetch(`${at.url}/metrics`)).text()
  // It is counted a moment after it is on the log.
  await expect.poll(metrics).toMatch(/koco_webhook_sendings_total\{outcome="delivered"\} 1/)
  expect(await metrics()).toMatch(/koco_webhook_notices_waiting 0/)
  const audit = await call(`${at.url}/api/audit?action=webhook`, 'GET', boss.headers)
  expect((audit.body['items'] as { action: string; target: string }[]).map(({ action, target }) => [action, target])).toEqual([
    ['webhook.test', id],
    ['webhook.make', id],
  ])
})

function dataOf({ body }: Notice): object {
  return (JSON.parse(body) as { data: object }).data
}
