/*
 * Goal: people find the runs that a run has started, and only those that they may see.
 * Method: runs with a parent are started over HTTP; the parent's page and the list by parent are read by their owner, an operator and a stranger.
 */
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { call } from '../testing/call.ts'
import { closeTestParts, openTestPanel, type TestPanel } from '../testing/test-panel.ts'

let at: TestPanel
beforeEach(async () => {
  at = await openTestPanel()
})
afterEach(() => at.close())
afterAll(closeTestParts)

test('a run tells how many runs it has started, and the list by parent shows them', async () => {
  const me = await at.user('user')
  const { fid } = await at.asking(me.name)
  const start = async (): Promise<string> => {
    const { body } = await call(`${at.url}/api/runs`, 'POST', me.headers, { flow: 'ask', inputs: {}, parent: fid })
    return String(body['fid'])
  }
  const children = [await start(), await start()]
  const run = await call(`${at.url}/api/runs/${fid}`, 'GET', me.headers)
  expect(run.body).toMatchObject({ parent: null, children: 2 })
  expect((await call(`${at.url}/api/runs/${children[0]}`, 'GET', me.headers)).body).toMatchObject({ parent: fid, children: 0 })
  const listOf = async (headers: Record<string, string>) => {
    const { body } = await call(`${at.url}/api/runs?parent=${fid}`, 'GET', headers)
    return (body['items'] as { fid: string }[]).map((item) => item.fid)
  }
  expect(new Set(await listOf(me.headers))).toEqual(new Set(children))
  expect(await listOf((await at.user('operator')).headers)).toHaveLength(2)
  expect(await listOf((await at.user('user')).headers)).toEqual([])
  expect((await call(`${at.url}/api/runs?parent=nothing`, 'GET', me.headers)).status).toBe(400)
})
