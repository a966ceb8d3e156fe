// Goal: over HTTP a fork is planned, started, and compared with its original; it has the files that its prefix knows of. Method: real runs of a flow with steps and a file, on real parts.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { diffLines } from '../compare/line-diff.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let panel: TestPanel
let me: Awaited<ReturnType<TestPanel['user']>>
let fid: string
beforeAll(async () => {
  panel = await openTestPanel()
  me = await panel.user('user')
  fid = (await panel.launcher.start({ flow: 'adds', inputs: { n: 1 }, user: me.name, idempotencyKey: null })).fid
  await ended(fid)
})
afterAll(async () => {
  await panel.close()
  await closeTestParts()
})

async function ended(of: string) {
  await vi.waitUntil(async () => (await panel.store.runs.get(of))?.finishedAt, { timeout: 25_000 })
  return await panel.store.runs.get(of)
}

async function call<T>(method: string, path: string, body?: object, headers: Readonly<Record<string, string>> = me.headers) {
  const answer = await fetch(`${panel.url}${path}`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as T }
}

type Plan = {
  readonly at: string
  readonly reused: readonly { readonly id: string }[]
  readonly again: readonly { readonly id: string; readonly idempotency_key_before: string }[]
}

test('a plan says what is taken over and what is done again, and does nothing', async () => {
  const { items } = (await call<{ items: { position: string; kind: string; data: { phase?: string } }[] }>('GET', `/api/runs/${fid}/events?limit=100`)).body
  const at = items.find(({ kind, data }) => kind === 'step' && data.phase === 'finished')?.position ?? ''
  const before = await panel.store.runs.counts()
  const planned = await call<{ plan: Plan }>('POST', `/api/runs/${fid}/fork?dry_run`, { at })
  expect(planned.status).toBe(200)
  expect(planned.body.plan).toMatchObject({
    at,
    reused: [{ id: 'one' }],
    again: [{ id: 'two', reason: 'later' }],
    open_locks: [],
    children: [],
    end_cut: false,
  })
  expect(await panel.store.runs.counts()).toEqual(before)
})

test('a fork with other inputs is a run of the caller with the original files, and both are compared', async () => {
  const wish = { inputs: { n: 5 }, again: ['two'] }
  const keyed = { ...me.headers, 'idempotency-key': 'fork once' }
  const forked = await call<{ fid: string; plan: Plan }>('POST', `/api/runs/${fid}/fork`, wish, keyed)
  expect((await call<{ fid: string }>('POST', `/api/runs/${fid}/fork`, wish, keyed)).body.fid).toBe(forked.body.fid)
  expect(forked.status).toBe(201)
  const run = await ended(forked.body.fid)
  expect(run).toMatchObject({ status: 'finished', inputs: { n: 5 }, user: me.name, final: { value: { one: 1, two: 10 } } })
  const files = await call<{ items: { path: string }[] }>('GET', `/api/runs/${forked.body.fid}/files`)
  expect(files.body.items.map(({ path }) => path)).toEqual(['out/one.txt'])
  const compared = await call<object>('GET', `/api/runs/compare?a=${fid}&b=${forked.body.fid}`)
  expect(compared).toMatchObject({
    status: 200,
    body: {
      a: { fid },
      b: { fid: forked.body.fid },
      steps: [
        { id: 'one', same: true, a: { status: 'finished', result: 1 }, b: { result: 1 } },
        { id: 'two', same: false, a: { result: 2 }, b: { result: 10 } },
      ],
      inputs: [
        { in: 'both', text: '{' },
        { in: 'a', text: '  "n": 1' },
        { in: 'b', text: '  "n": 5' },
        { in: 'both', text: '}' },
      ],
    },
  })
})

test('what cannot be forked is refused in a sentence, and a foreign run is unknown', async () => {
  expect(await call('POST', `/api/runs/${fid}/fork`, { at: 'x' })).toMatchObject({ status: 422, body: { code: 'bad_position' } })
  expect(await call('POST', `/api/runs/${fid}/fork`, { again: ['none#1'] })).toMatchObject({ status: 422, body: { code: 'unknown_step' } })
  const stranger = await panel.user('user')
  expect(await call('POST', `/api/runs/${fid}/fork?dry_run`, {}, stranger.headers)).toMatchObject({ status: 404 })
  expect(await call('GET', `/api/runs/compare?a=${fid}&b=${fid}`, undefined, stranger.headers)).toMatchObject({ status: 404 })
})

test('lines are aligned by what both have', () => {
  expect(diffLines('a\nb\nc', 'a\nx\nc\nd').map((line) => `${line.in}:${line.text}`)).toEqual(['both:a', 'a:b', 'b:x', 'both:c', 'b:d'])
  expect(diffLines('same', 'same')).toEqual([{ in: 'both', text: 'same' }])
  expect(diffLines(Array.from({ length: 700 }, (_, i) => i).join('\n'), 'x').filter((line) => line.in === 'a')).toHaveLength(700)
})
