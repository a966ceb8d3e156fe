// Goal: whatever happens to a worker in the middle of a run, another goes on with it: nothing finished is done again, no event is lost or doubled, a worker that was only slow stays out.
// Method: real processes over a Temporal server, Redis and SQLite of the test's own; a long run of many steps; one worker is killed, stopped or frozen in mid-step, another runs beside it.
import type { EventRecord } from '@koco/core'
import { checkRun } from '@koco/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ApiClient, ApiEvent } from '../processes/api-client.ts'
import type { KocoProcess } from '../processes/koco-process.ts'
import { temporalStack, type TemporalStack } from '../processes/temporal-stack.ts'

const EVENTS = 4000
const RUN = { events: EVENTS, pauseMs: 150 }

let stack: TemporalStack
let client: ApiClient

beforeAll(async () => {
  stack = await temporalStack()
  client = await stack.client()
})

afterAll(() => stack.close())

test('a worker killed with -9 in mid-step: another makes the next try', async () => {
  const first = await stack.startWorker(client)
  const fid = await client.start('emit-many', RUN)
  await steps(fid, 5)
  const second = await stack.startWorker(client)
  await first.kill('SIGKILL')
  await expectWhole(fid, [first, second])
  await second.kill('SIGTERM')
})

test('SIGTERM hands a run over at a step border, and the worker ends in order', async () => {
  const first = await stack.startWorker(client)
  const fid = await client.start('emit-many', RUN)
  await steps(fid, 5)
  const second = await stack.startWorker(client)
  expect(await first.kill('SIGTERM')).toBe(0)
  const events = await expectWhole(fid, [first, second])
  expect(beginnings(events)).toHaveLength(EVENTS / 100)
  await second.kill('SIGTERM')
})

test('a worker that freezes longer than anybody waits is fenced when it comes back, and goes on living', async () => {
  const first = await stack.startWorker(client)
  const fid = await client.start('emit-many', RUN)
  await steps(fid, 5)
  const second = await stack.startWorker(client)
  await first.kill('SIGSTOP')
  await untilOwner(fid, second)
  await steps(fid, 12)
  await first.kill('SIGCONT')
  const events = await expectWhole(fid, [first, second])
  const fence = events.findIndex((event) => event.kind === 'attempt' && ownedBy(event, second))
  expect(events.slice(fence).every(({ epoch }) => epoch >= (events[fence]?.epoch ?? 0))).toBe(true)
  await second.kill('SIGTERM')
  const alone = await client.startAndWait('three-steps', {})
  expect(alone.status).toBe('finished')
  expect((await client.events(alone.fid)).some((event) => event.kind === 'attempt' && ownedBy(event, first))).toBe(true)
  expect(await first.kill('SIGTERM')).toBe(0)
})

test('with all workers gone a run shows as running in Temporal, and completes when one comes', async () => {
  const first = await stack.startWorker(client)
  const fid = await client.start('emit-many', RUN)
  await steps(fid, 3)
  await first.kill('SIGKILL')
  expect((await client.run(fid)).status).toBe('running')
  const second = await stack.startWorker(client)
  await expectWhole(fid, [first, second])
  await second.kill('SIGTERM')
})

test('Temporal killed and started again in mid-run: the run goes on, and a start meanwhile is refused in words', async () => {
  const worker = await stack.startWorker(client)
  const fid = await client.start('emit-many', RUN)
  await steps(fid, 3)
  await stack.temporal.kill()
  const refused = await client.request('POST', '/api/runs', { flow: 'three-steps', inputs: {} }, { 'idempotency-key': 'while-away' })
  expect([refused.status, await refused.text()]).toEqual([503, expect.stringContaining('KODO_TEMPORAL_HOST')])
  await stack.temporal.restart()
  const events = await expectWhole(fid, [worker])
  expect(events.length).toBeGreaterThan(EVENTS)
  const again = await client.json<{ fid: string }>(
    'POST',
    '/api/runs',
    { flow: 'three-steps', inputs: {} },
    { 'idempotency-key': 'while-away', prefer: 'wait=60' },
  )
  expect((await client.run(again.fid)).status).toBe('finished')
  expect(await worker.kill('SIGTERM')).toBe(0)
})

/** Resolves once so many steps of a run have finished. */
async function steps(fid: string, count: number): Promise<void> {
  let seen = 0
  for await (const frame of client.tail(fid)) {
    if (frame.event === 'step' && frame.data.includes('"finished"')) seen += 1
    if (seen >= count) return
  }
}

async function untilOwner(fid: string, worker: KocoProcess): Promise<void> {
  for await (const frame of client.tail(fid)) if (frame.event === 'attempt' && frame.data.includes(`/${worker.pid}/`)) return
}

/** Waits for the end of a run and checks that it is whole; gives its events. */
async function expectWhole(fid: string, workers: readonly KocoProcess[]): Promise<ApiEvent[]> {
  for await (const frame of client.tail(fid)) if (frame.event === 'end') break
  const events = await client.events(fid)
  expect((await client.run(fid)).status, `${events.at(-1)?.kind}: ${workers.map((worker) => worker.output()).join('\n')}`).toBe('finished')
  expect(checkRun({ fid, acknowledged: [], stored: events.map(recordOf), timeline: events.map(recordOf) })).toEqual([])
  const finished = events.filter(({ kind, data }) => kind === 'step' && data['phase'] === 'finished').map(({ step }) => step)
  expect(finished).toEqual([...new Set(finished)])
  expect(finished).toHaveLength(EVENTS / 100)
  expect(new Set(ticks(events)).size).toBe(EVENTS)
  return events
}

function beginnings(events: readonly ApiEvent[]): ApiEvent[] {
  return events.filter(({ kind, data }) => kind === 'step' && data['phase'] === 'started')
}

function ownedBy({ data }: ApiEvent, worker: KocoProcess): boolean {
  return String(data['owner']).includes(`/${worker.pid}/`)
}

function recordOf(event: ApiEvent): EventRecord {
  const { epoch, seq, ts, kind, step, data } = event
  return { epoch, seq, ts, kind, step, data: JSON.stringify(data) }
}

function ticks(timeline: readonly ApiEvent[]): number[] {
  return timeline.filter((event) => event.kind === 'action').map((event) => (event.data as { value: { n: number } }).value.n)
}
