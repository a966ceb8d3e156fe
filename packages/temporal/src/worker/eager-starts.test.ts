// Goal: a worker takes so many starts at once and no more; who asks beyond that hears so at once. Method: a link on which no call ends until it is let.
import { createMemoryTransport } from '@koco/transport'
import type { NativeConnection } from '@temporalio/worker'
import { expect, test } from 'vitest'
import type { WorkflowStart } from '../names.ts'
import { serveStarts, STARTS_MAX } from './eager-starts.ts'

const LONG_MS = 20_000
const settings = { address: 'nowhere:7233', namespace: 'default', taskQueue: 'agents', workflowIdPrefix: 'kodo-', executionTimeoutS: null }
const run = {
  fid: 'f',
  flow: 'greet',
  version: null,
  user: 'ada',
  reason: 'start',
  searchable: false,
  historyMax: 8000,
  taskQueue: 'agents',
  parent: null,
  paused: false,
} as const
const START: WorkflowStart = { run: { ...run, endedChildren: [] }, timeoutMs: null }

test('with too many starts under way one more is not taken, and is again when one has ended', async () => {
  const { handover } = createMemoryTransport()
  const calls: (() => void)[] = []
  const withDeadline = (): Promise<void> => new Promise((done) => calls.push(done))
  const connection = { withDeadline, plugins: [] } as unknown as NativeConnection
  await serveStarts({ id: 'ann', handover, connection, settings })
  const ask = () => handover.ask('ann', START, LONG_MS)
  const open = Array.from({ length: STARTS_MAX }, ask)
  await expect.poll(() => calls.length).toBe(STARTS_MAX)
  expect(await ask()).toBeUndefined()
  calls[0]?.()
  expect(await open[0]).toEqual({ started: true })
  const next = ask()
  calls.forEach((done) => done())
  await expect.poll(() => calls.length).toBe(STARTS_MAX + 1)
  calls.at(-1)?.()
  expect(await next).toEqual({ started: true })
  await Promise.all(open)
})
