// Goal: whoever asks something of a Temporal server that is away reads a sentence, whichever words its library has for that. Method: errors as gRPC makes them, thrown by a call.
import { ServiceError } from '@temporalio/client'
import { afterAll, expect, test } from 'vitest'
import { TemporalServer } from './server.ts'

const server = new TemporalServer({
  address: 'temporal.example:7233',
  namespace: 'default',
  taskQueue: 'q',
  workflowIdPrefix: 'kodo-',
  executionTimeoutS: null,
})
afterAll(() => server.close())

const failing = async (code: number, details: string): Promise<unknown> => {
  const cause = Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} })
  return server.call('start a run', () => Promise.reject(new ServiceError('Failed to start Workflow', { cause }))).catch((error: unknown) => error)
}

test('a call whose time is over says how long that was, not what the last of its repetitions had left', async () => {
  const message = expect.stringMatching(/^Temporal at temporal\.example:7233 did not answer \(to start a run\): no word within 5 s\. See that it runs/)
  expect(await failing(4, 'Deadline exceeded after 0.000s,LB pick: 0.000s')).toMatchObject({ code: 'temporal_unavailable', message })
})

test('what else the library says of a server that is away is passed on', async () => {
  expect(await failing(14, 'No connection established')).toMatchObject({ message: expect.stringContaining('(to start a run): No connection established. See') })
})
