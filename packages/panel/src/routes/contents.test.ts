// Goal: what an event only names is read by whoever may read its run, goes with the run wherever it is taken, and is counted. Method: real runs whose step gives a large result, on real parts, over HTTP.
import { join } from 'node:path'
import { must } from '@koco/core'
import { FileFolder } from '@koco/flow'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

type Event = {
  readonly position: string
  readonly kind: string
  readonly data: { readonly phase?: string; readonly result?: unknown; readonly content?: { readonly sha256: string } }
}

const KIB = 300
const RESULT = 'x'.repeat(KIB * 1024)

let panel: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>
let other: Awaited<ReturnType<TestPanel['user']>>
let operator: Awaited<ReturnType<TestPanel['user']>>
let fid: string
beforeAll(async () => {
  panel = await openTestPanel()
  me = await panel.user('user')
  other = await panel.user('user')
  operator = await panel.user('operator')
  fid = await large(KIB, me.name)
})
afterAll(async () => {
  await panel.close()
  await closeTestParts()
})

async function large(kib: number, user: string): Promise<string> {
  const { fid: id } = await panel.launcher.start({ flow: 'large', inputs: { kib }, user, idempotencyKey: null })
  await vi.waitUntil(async () => (await panel.store.runs.get(id))?.finishedAt, { timeout: 25_000 })
  return id
}

async function resultOf(id: string, who = me): Promise<Event> {
  const { body } = await call(`${panel.url}/api/runs/${id}/events?limit=100`, 'GET', who.headers)
  return must(
    (body['items'] as Event[]).find(({ kind, data }) => kind === 'step' && data.phase === 'finished'),
    'the finished step',
  )
}

const contentPath = async (id: string): Promise<string> => `/api/runs/${id}/contents/${(await resultOf(id)).data.content?.sha256 ?? ''}`

test('the event names it, and whoever may read the run reads it; to others it is unknown', async () => {
  const { data } = await resultOf(fid)
  expect(data).toMatchObject({ result: null, content: { bytes: RESULT.length + 2 } })
  const path = await contentPath(fid)
  for (const who of [me, operator]) {
    const answer = await fetch(panel.url + path, { headers: who.headers })
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'application/json; charset=utf-8',
      'private, max-age=31536000, immutable',
    ])
    expect(await answer.json()).toBe(RESULT)
  }
  expect((await call(panel.url + path, 'GET', other.headers)).status).toBe(404)
  const own = await large(1, other.name)
  const { status, body } = await call(`${panel.url}${path.replace(fid, own)}`, 'GET', other.headers)
  expect([status, body['code']]).toEqual([404, 'unknown_content'])
})

test('a search looks into it, and says how much it could not look into', async () => {
  const words = `lengthy outcome ${'y'.repeat(70_000)} and its "END"`
  const { fid: id, emit, begin } = await panel.run(me.name)
  await begin()
  const kept = must(await panel.contents.keep(JSON.stringify(words)), 'the content')
  const step = (n: number, content: { sha256: string; bytes: number; stored: number }) =>
    ['step', { phase: 'finished', id: `s#${n}`, name: `s${n}`, try: 1, duration_s: 1, result: null, content }] as const
  await emit([
    step(1, kept.content),
    ['result', { type: 'text', value: 'a Lengthy one' }],
    step(2, { ...kept.content, sha256: 'f'.repeat(64) }),
    step(3, kept.content),
  ])
  kept.named()
  const search = async (query: string) => {
    const { body } = await call(`${panel.url}/api/runs/${id}/events?${query}`, 'GET', me.headers)
    return [(body['items'] as Event[]).map(({ kind, data }) => (data as { name?: string }).name ?? kind), body['unsearched'], body['next'] === null]
  }
  expect(await search('q=and%20ITS%20"end"')).toEqual([['s1', 's3'], 1, true])
  expect(await search('q=lengthy')).toEqual([['s1', 'result', 's3'], 1, true])
  expect(await search('q=lengthy&limit=1')).toEqual([['s1'], 0, false])
  expect(await search('q=lengthy&kind=result')).toEqual([['result'], undefined, true])
  expect(await search('q=nowhere')).toEqual([[], 1, true])
  expect(await search('limit=100')).toEqual([expect.any(Array), undefined, true])
})

test('an export holds it, and the import of that keeps it once more under its name', async () => {
  const text = await (await fetch(`${panel.url}/api/runs/${fid}/export`, { headers: me.headers })).text()
  const steps = text.split('\n').filter((line) => line.includes('"duration_s"'))
  expect(steps.map((line) => (JSON.parse(line) as { event: Event }).event.data.result === RESULT)).toEqual([true])
  expect(text).not.toContain('"sha256"')
  const send = (body: string) =>
    fetch(`${panel.url}/api/runs/import`, { method: 'POST', headers: { ...other.headers, 'content-type': 'application/x-ndjson' }, body })
  const answer = await send(text)
  expect(answer.status).toBe(201)
  const { fid: id } = (await answer.json()) as { fid: string }
  const { data } = await resultOf(id, other)
  expect(data).toEqual((await resultOf(fid)).data)
  expect(await (await fetch(`${panel.url}${(await contentPath(fid)).replace(fid, id)}`, { headers: other.headers })).json()).toBe(RESULT)

  const lying = text.replace(JSON.stringify(RESULT), `null,"content":${JSON.stringify(data.content)}`)
  const refused = await send(lying)
  expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([
    422,
    expect.stringContaining('names content that is not in the file'),
  ])
})

test('two runs with equal results are compared as alike, others not, though only their ends differ', async () => {
  const [same, longer] = [await large(KIB, me.name), await large(KIB + 1, me.name)]
  const compared = async (id: string) => {
    const { body } = await call(`${panel.url}/api/runs/compare?a=${fid}&b=${id}`, 'GET', me.headers)
    return (body['steps'] as { same: boolean; a: { result: string } }[])[0]
  }
  expect(await compared(same)).toMatchObject({ same: true, a: { result: `${RESULT.slice(0, 20_000)}…` } })
  expect(await compared(longer)).toMatchObject({ same: false })
})

test('operators see how much is named and how much is kept for it', async () => {
  const totals = async () => (await call(`${panel.url}/api/contents`, 'GET', operator.headers)).body as Record<string, Record<string, number>>
  const before = await totals()
  await large(KIB, me.name)
  const { fid: holder } = await panel.run(me.name)
  for (const path of ['a', 'b']) await new FileFolder(join(panel.folder, 'uploads'), {}, panel.fileContents).write(holder, `out/${path}`, 'z'.repeat(100_000))
  const after = await vi.waitUntil(async () => {
    const now = await totals()
    return now['files']?.['count'] === 2 && now
  })
  expect((after['results']?.['count'] ?? 0) - (before['results']?.['count'] ?? 0)).toBe(1)
  expect((after['results']?.['bytes'] ?? 0) - (before['results']?.['bytes'] ?? 0)).toBe(RESULT.length + 2)
  expect(after['results']?.['stored_bytes']).toBe(before['results']?.['stored_bytes'])
  expect(after['files']).toMatchObject({ count: 2, bytes: 200_000 })
  expect(after['files']?.['stored_bytes']).toBeLessThan(1000)
  expect(after['checkpoints']).toMatchObject({ count: expect.any(Number), bytes: expect.any(Number), stored_bytes: expect.any(Number) })
  expect((await call(`${panel.url}/api/contents`, 'GET', me.headers)).status).toBe(403)
})

test('a collection leaves what runs name', async () => {
  const { sha256 } = must((await resultOf(fid)).data.content, 'its content')
  await panel.checkpoints.gc({ graceMs: 0 })
  expect(await panel.contents.read({ sha256, bytes: 0, stored: 0 })).toBe(JSON.stringify(RESULT))
})
