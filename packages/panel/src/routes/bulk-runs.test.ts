// Goal: many runs are asked at once, each with an outcome of its own, and nobody reaches further than by single requests. Method: a real panel with runs of two people.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

type Outcome = { readonly fid: string; readonly outcome: string; readonly code: string | null }

let panel: TestPanel
beforeAll(async () => {
  panel = await openTestPanel()
})
afterAll(async () => {
  await panel.close()
  await closeTestParts()
})

async function bulk(headers: { readonly authorization: string }, body: object): Promise<{ status: number; items: readonly Outcome[]; next: string | null }> {
  const { status, body: answer } = await call(`${panel.url}/api/runs/bulk`, 'POST', headers, body)
  return { status, items: (answer['items'] ?? []) as Outcome[], next: (answer['next'] ?? null) as string | null }
}

test('each run has its own outcome; a foreign one is unknown', async () => {
  const me = await panel.user('user')
  const other = await panel.user('user')
  const [mine, ended, foreign] = [await panel.asking(me.name), await panel.run(me.name), await panel.asking(other.name)]
  await ended.begin()
  await ended.finish()
  const { status, items, next } = await bulk(me.headers, { action: 'cancel', fids: [mine.fid, ended.fid, foreign.fid] })
  expect(status).toBe(200)
  expect(next).toBeNull()
  expect(items.map(({ fid, outcome, code }) => [fid, outcome, code])).toEqual([
    [mine.fid, 'accepted', null],
    [ended.fid, 'refused', expect.stringMatching(/run_over|unknown_run/)],
    [foreign.fid, 'refused', 'unknown_run'],
  ])
  expect(await panel.store.runs.wanted(foreign.fid)).toBeUndefined()
})

test('all that match a filter, page by page, only among the runs that the caller may touch', async () => {
  const me = await panel.user('user')
  const other = await panel.user('user')
  const fids: string[] = []
  for (const user of [me, me, other]) {
    const run = await panel.run(user.name)
    await run.begin()
    await run.finish()
    if (user === me) fids.push(run.fid)
  }
  const { items } = await bulk(me.headers, { action: 'archive', filter: { status: ['finished'], flow: 'by-hand' } })
  expect(new Set(items.map((item) => item.fid))).toEqual(new Set(fids))
  expect(items.every((item) => item.outcome === 'accepted')).toBe(true)
  expect((await panel.store.runs.list({ user: me.name, archived: true, limit: 9 })).items).toHaveLength(2)
  expect((await panel.store.runs.list({ user: other.name, limit: 9 })).items).toHaveLength(1)
  expect((await bulk(me.headers, { action: 'archive', filter: { user: other.name } })).items).toEqual([])
})

test('neither ids nor a filter, both, or too many ids are refused', async () => {
  const me = await panel.user('operator')
  const fid = '0123456789abcdef01234567'
  for (const body of [{}, { fids: [fid], filter: {} }, { fids: [] }, { fids: Array.from({ length: 201 }, () => fid) }, { fids: ['x'] }]) {
    expect((await bulk(me.headers, { action: 'cancel', ...body })).status).toBe(422)
  }
})
