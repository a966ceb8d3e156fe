// Goal: an exported run read back in is the same run to look at, belongs to whoever imports it, and can do nothing; a file that lies, or lacks something, changes nothing. Method: real exports of
// real runs over HTTP, then the same files with one thing changed.
import { isFid } from '@koco/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

type Me = Awaited<ReturnType<TestPanel['user']>>
type Event = { position: string; epoch: number; seq: number; kind: string; ts: number; step: string | null; data: Record<string, unknown> }

let panel: TestPanel
let me: Me
let other: Me
let lines: string[]
let fid: string
beforeAll(async () => {
  panel = await openTestPanel({ settings: { fileBytesMax: 2_000_000 } })
  me = await panel.user('user')
  other = await panel.user('user')
  const run = await panel.run(other.name)
  await run.begin()
  await run.emit([
    ['stdout', { text: 'so far' }],
    ['lock', { lid: 'q', name: 'sure?', form: {}, data: null, expires_at: null }],
    ['lease', { lid: 'q', answer: { go: true }, by: other.name, at: 1 }],
  ])
  await run.finish()
  fid = run.fid
  lines = (await exported(other, run.fid)).trim().split('\n')
})
afterAll(async () => {
  await panel.close()
  await closeTestParts()
})

async function exported(who: Me, id: string, query = ''): Promise<string> {
  return (await fetch(`${panel.url}/api/runs/${id}/export${query}`, { headers: who.headers })).text()
}

async function imported(
  body: string | Uint8Array<ArrayBuffer>,
  who = me,
  type = 'application/x-ndjson',
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${panel.url}/api/runs/import`, { method: 'POST', headers: { ...who.headers, 'content-type': type }, body })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

async function get<T>(path: string, who = me): Promise<T> {
  return (await fetch(panel.url + path, { headers: who.headers })).json() as Promise<T>
}

const eventsOf = async (id: string, who = me): Promise<Event[]> => (await get<{ items: Event[] }>(`/api/runs/${id}/events?limit=1000`, who)).items

/** The file with one line changed; line 0 is the run. */
function changed(index: number, change: (inner: Record<string, unknown>) => void): string {
  return lines
    .map((line, at) => {
      if (at !== index) return line
      const body = JSON.parse(line) as Record<string, Record<string, unknown>>
      change(Object.values(body)[0] ?? {})
      return JSON.stringify(body)
    })
    .join('\n')
}

test('an imported run is the exported one, with an id, an owner and a tag of its own; the same file gives it again', async () => {
  const { status, body } = await imported(lines.join('\n'))
  expect(status).toBe(201)
  const id = String(body['fid'])
  expect(isFid(id) && id !== fid).toBe(true)
  const [before, after] = [await eventsOf(fid, other), await eventsOf(id)]
  const plain = (events: Event[]) =>
    events.filter(({ kind }) => kind !== 'meta').map(({ position, kind, ts, step, data }) => ({ position, kind, ts, step, data }))
  expect(plain(after)).toEqual(plain(before))
  const run = await get<Record<string, unknown>>(`/api/runs/${id}`)
  expect(run).toMatchObject({ status: 'finished', user: me.name, launcher: 'import', flow: 'by-hand', tags: ['test', 'imported'], parent: null })
  expect(after.find(({ kind }) => kind === 'meta')?.data).toMatchObject({ user: me.name, imported_from: { fid, user: other.name, parent: null } })
  expect(await imported(lines.join('\n'))).toEqual({ status: 200, body: { fid: id, events: before.length } })
})

test('it counts in no insights: what it spent was not spent here', async () => {
  const operator = await panel.user('operator')
  // The days of the events that the tests write.
  const sums = async () => (await get<{ totals: { finished: number } }>('/api/insights?from=2023-11-10&to=2023-11-20', operator)).totals
  const before = await sums()
  expect(before.finished).toBeGreaterThan(0)
  expect((await imported(lines.join('\n'), await panel.user('user'))).status).toBe(201)
  expect(await sums()).toEqual(before)
})

test('nothing can be asked of it but to be archived', async () => {
  const id = String((await imported(lines.join('\n'))).body['fid'])
  for (const action of ['pause', 'resume', 'cancel', 'retry']) {
    const answer = await fetch(`${panel.url}/api/runs/${id}/${action}`, {
      method: 'POST',
      headers: { ...me.headers, 'content-type': 'application/json' },
      body: '{}',
    })
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([409, 'imported_run'])
  }
  expect((await fetch(`${panel.url}/api/runs/${id}`, { method: 'DELETE', headers: me.headers })).status).toBe(204)
  expect((await fetch(`${panel.url}/api/runs/${id}`, { headers: other.headers })).status).toBe(404)
})

test('a redacted export can be imported; a run that was not over gets an end that says so', async () => {
  const { fid: asking } = await panel.asking(other.name)
  const { status, body } = await imported(await exported(other, asking, '?redact=1'))
  expect(status).toBe(201)
  const run = await get<{ status: string; locks: { status: string }[]; open_locks: number }>(`/api/runs/${String(body['fid'])}`)
  expect(run).toMatchObject({ status: 'cancelled', open_locks: 0 })
  expect((await eventsOf(String(body['fid']))).at(-2)).toMatchObject({
    kind: 'cancel',
    data: { by: me.name, reason: expect.stringMatching(/^imported while it was (running|awaiting)$/) },
  })
  expect(await get('/api/locks')).toMatchObject({ items: [] })
})

test('events in many batches, and several tries', async () => {
  const run = await panel.run(other.name)
  await run.begin()
  for (let part = 0; part < 3; part += 1) await run.emit(Array.from({ length: 400 }, (_none, index) => ['stdout', { text: `${part} ${index}` }] as const))
  await run.finish()
  const { status, body } = await imported(await exported(other, run.fid))
  expect([status, body['events']]).toEqual([201, 1207])
  expect(await get(`/api/runs/${String(body['fid'])}`)).toMatchObject({ events: 1207, status: 'finished' })
})

describe('refused, and nothing is stored', () => {
  const huge = (bytes: number) => [...lines.slice(0, 5), JSON.stringify({ event: { data: 'x'.repeat(bytes) } })].join('\n')
  const CASES: Readonly<Record<string, readonly [() => string | Uint8Array<ArrayBuffer>, number, RegExp]>> = {
    'an empty file': [() => '', 422, /empty|JSON/],
    'no JSON': [() => 'hello', 422, /Line 1: it is not a JSON object/],
    'another JSON': [() => '{"a":1}', 422, /does not begin with a run/],
    'bytes that are no text': [() => new Uint8Array([0xff, 0xfe, 0x00, 0xd8]), 422, /no UTF-8/],
    'no events': [() => lines[0] ?? '', 422, /no events/],
    'an event that is missing': [() => lines.filter((_line, index) => index !== 4).join('\n'), 422, /events are missing before/],
    'events in another order': [() => [...lines.slice(0, 3), lines[4], lines[3], ...lines.slice(5)].join('\n'), 422, /does not come after/],
    'an event twice': [() => [...lines.slice(0, 3), lines[2], ...lines.slice(3)].join('\n'), 422, /does not come after/],
    'a flow that is a path': [() => changed(0, (run) => (run['flow'] = '../../etc/passwd')), 422, /not the name of a flow/],
    'an id that is none': [() => changed(0, (run) => (run['fid'] = '../x')), 422, /not a run id/],
    'a run from the future': [() => changed(0, (run) => (run['created_at'] = 4_000_000_000)), 422, /future/],
    'an epoch from the future': [() => changed(lines.length - 1, (event) => (event['epoch'] = 8e15)), 422, /future/],
    'a kind that is markup': [() => changed(6, (event) => (event['kind'] = '<b>')), 422, /not the kind of an event/],
    'data of a wrong form': [() => changed(6, (event) => (event['data'] = { text: 5 })), 422, /stdout event is not valid/],
    'a status that is none': [() => changed(0, (run) => (run['status'] = 'won')), 422, /run is not valid/],
    'JSON a thousand deep': [
      () => changed(6, (event) => (event['data'] = { text: 'x', deep: JSON.parse(`${'['.repeat(2000)}${']'.repeat(2000)}`) })),
      422,
      /JSON value/,
    ],
    'an event that is too large': [() => changed(6, (event) => (event['data'] = { text: 'x'.repeat(300_000) })), 422, /more than 262144 bytes/],
    'a line that is too long': [() => huge(1_999_000), 413, /larger than|longer than/],
    'a file that is too large': [() => `${lines.join('\n')}${'\n'.repeat(2_000_001)}`, 413, /larger than 2000000 bytes/],
  }
  test.each(Object.keys(CASES))('%s', async (name) => {
    const [file, status, words] = CASES[name] ?? [() => '', 0, /never/]
    const count = async () => (await panel.store.runs.list({ user: me.name, archived: true, limit: 200 })).items.length
    const before = await count()
    const answer = await imported(file())
    expect(answer.status).toBe(status)
    expect(answer.body['detail']).toMatch(words)
    expect(await count()).toBe(before)
  })

  test('another type of body', async () => {
    expect((await imported('{}', me, 'application/json')).status).toBe(415)
  })

  test('a viewer', async () => {
    expect((await imported(lines.join('\n'), await panel.user('viewer'))).status).toBe(403)
  })
})

test('the owner in a file is nobody: a run cannot be slipped to another', async () => {
  const file = changed(0, (run) => {
    run['user'] = other.name
    run['parent'] = fid
  })
  const { body } = await imported(file)
  expect(await get(`/api/runs/${String(body['fid'])}`)).toMatchObject({ user: me.name, parent: null })
  expect((await fetch(`${panel.url}/api/runs/${String(body['fid'])}`, { headers: other.headers })).status).toBe(404)
})
