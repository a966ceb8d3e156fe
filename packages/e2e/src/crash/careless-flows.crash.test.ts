// Goal: whatever the code of a flow does, its run ends with a sentence that says what happened, and other runs go on. Method: real workers over a Temporal server and Redis of the test's own; a flow for each mistake.
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ApiClient, ApiEvent } from '../processes/api-client.ts'
import type { KocoProcess } from '../processes/koco-process.ts'
import { temporalStack, type TemporalStack } from '../processes/temporal-stack.ts'

const FLOWS = fileURLToPath(new URL('../flows/careless-flows.ts', import.meta.url))

let stack: TemporalStack
let client: ApiClient
const workers: KocoProcess[] = []

beforeAll(async () => {
  stack = await temporalStack({ KODO_FLOWS: FLOWS })
  client = await stack.client()
})

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill('SIGKILL')))
})

afterAll(() => stack.close())

async function startWorker(): Promise<KocoProcess> {
  const worker = await stack.startWorker(client)
  workers.push(worker)
  return worker
}

/** The end of a run: its status and what its error says. */
async function endOf(fid: string): Promise<{ readonly status: string; readonly message: string; readonly events: ApiEvent[] }> {
  for await (const frame of client.tail(fid)) if (frame.event === 'end') break
  const { status, error } = await client.run(fid)
  return { status, message: (error as { message: string } | null)?.message ?? '', events: await client.events(fid) }
}

test('a flow that throws, one that hangs over its limit, one that returns no JSON, one that wants to end its process: each ends in words, and the worker serves on', async () => {
  const worker = await startWorker()
  const [threw, hung, returned, exited] = await Promise.all(
    ['throws', 'hangs', 'returns-a-function', 'exits'].map(async (flow) => endOf(await client.start(flow, {}))),
  )
  expect(threw).toMatchObject({ status: 'error', message: 'out of luck' })
  expect(hung?.status).toBe('timed_out')
  expect(returned).toMatchObject({ status: 'error', message: expect.stringMatching(/is not JSON: .*callback is a function/) })
  expect(exited).toMatchObject({ status: 'error', message: expect.stringContaining('process.exit(7)') })
  expect(await client.startAndWait('well', {})).toMatchObject({ status: 'finished' })
  expect(await worker.kill('SIGTERM')).toBe(0)
})

test('a flow that blocks its process for half a minute: the step counts once, other runs wait no longer than that', async () => {
  await startWorker()
  const fid = await client.start('blocks', {})
  for await (const frame of client.tail(fid)) if (frame.event === 'step') break
  await startWorker()
  expect(await client.startAndWait('well', {})).toMatchObject({ status: 'finished' })
  const { status, events } = await endOf(fid)
  expect(status).toBe('finished')
  const finished = events.filter(({ kind, data }) => kind === 'step' && data['phase'] === 'finished').map(({ step }) => step)
  expect(finished).toEqual([...new Set(finished)])
})

test('two workers with different code under one name and version: the run stops and names both sides; answers to it are refused', async () => {
  const first = await startWorker()
  const fid = await client.start('changes-its-mind', {})
  for await (const frame of client.tail(fid)) if (frame.event === 'lock') break
  const lid = (await client.run(fid)).locks[0]?.lid ?? ''
  await first.kill('SIGKILL')
  const second = await startWorker()
  await client.json('POST', `/api/runs/${fid}/locks/${lid}`, { answer: null })
  const { status, message } = await endOf(fid)
  expect(status).toBe('error')
  expect(message).toContain(`step of process ${first.pid}`)
  expect(message).toMatch(/version|journal/)
  const refused = await client.request('POST', `/api/runs/${fid}/locks/${lid}`, { answer: null })
  expect([refused.status, await refused.json()]).toEqual([409, expect.objectContaining({ detail: expect.any(String) })])
  expect(await second.kill('SIGTERM')).toBe(0)
})
