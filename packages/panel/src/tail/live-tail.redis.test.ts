/*
 * Goal: over Redis a live tail hears of commits of other processes, and a cut bus costs nothing.
 * Method: the panel's bus goes through the fault proxy, the writer's past it; the slow re-check is off, so that only the bus can bring the news.
 */
import { keyPrefix, startFaultProxy, type FaultProxy } from '@koco/testing'
import type { Transport } from '@koco/transport'
import { createRedisTransport } from '@koco/transport/redis'
import { afterAll, afterEach, beforeEach, expect, inject, test } from 'vitest'
import { openSse } from '../testing/sse-client.ts'
import { closeTestParts, openTestPanel, type TestPanel, type TestRun } from '../testing/test-panel.ts'

let at: TestPanel
let proxy: FaultProxy
let panelBus: Transport
let writerBus: Transport

beforeEach(async () => {
  const url = inject('redisUrl')
  proxy = await startFaultProxy({ port: Number(new URL(url).port) })
  const streamPrefix = `${keyPrefix()}events:`
  panelBus = createRedisTransport({ url: proxy.url(url), streamPrefix })
  writerBus = createRedisTransport({ url, streamPrefix })
  at = await openTestPanel({ signals: panelBus.signals, settings: { lookAgainMs: 3_600_000 } })
})

afterEach(async () => {
  proxy.heal()
  await at.close()
  await panelBus.close()
  await writerBus.close()
  await proxy.close()
})
afterAll(closeTestParts)

/** Commits a line as another process would: to the store, then a word on the bus. */
async function say(run: TestRun, text: string): Promise<void> {
  const position = await run.emit([['stdout', { text }]], 'quietly')
  await writerBus.signals.publish([{ topic: 'committed', fid: run.fid, position, ended: false }])
}

test('hears of commits, and after a cut looks for what it missed', async () => {
  const me = await at.user('user')
  const run = await at.run(me.name)
  await run.begin()
  const client = await openSse(`${at.url}/api/runs/${run.fid}/events`, me.headers)
  await client.first((frame) => frame.data.includes('"running"'))
  await say(run, 'before')
  await client.first((frame) => frame.data.includes('before'))
  proxy.refuse()
  await say(run, 'meanwhile')
  proxy.heal()
  await client.first((frame) => frame.data.includes('meanwhile'))
  await say(run, 'after')
  await client.first((frame) => frame.data.includes('after'))
  expect(client.frames.filter((frame) => frame.event === 'stdout')).toHaveLength(3)
  client.close()
})
