import type { ApiClient } from '../processes/api-client.ts'
import { temporalStack } from '../processes/temporal-stack.ts'
import { atMost, percentile, type Figure } from './figure.ts'

const TIMES = 3

/** From the end of a worker, in order or not, to the next step of its run on a worker that runs already. */
export async function recoveryTemporal(): Promise<Figure[]> {
  await using stack = await temporalStack()
  const client = await stack.client()
  const seconds: Record<'SIGKILL' | 'SIGTERM', number[]> = { SIGKILL: [], SIGTERM: [] }
  let worker = await stack.startWorker(client)
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    for (let time = 0; time < TIMES; time += 1) {
      const fid = await client.start('emit-many', { events: 100_000, pauseMs: 20 })
      await nextStep(client, fid, 0)
      const next = await stack.startWorker(client)
      const at = Date.now() / 1000
      await worker.kill(signal)
      seconds[signal].push((await nextStep(client, fid, at)) - at)
      await client.json('POST', `/api/runs/${fid}/cancel`)
      worker = next
    }
  }
  return [
    atMost('Temporal: from kill -9 of a worker to the next step on another, worst of 3', percentile(seconds.SIGKILL, 1), 's', 4),
    atMost('Temporal: from SIGTERM of a worker to the next step on another, worst of 3', percentile(seconds.SIGTERM, 1), 's', 1),
  ]
}

/** Unix seconds of the first step event of another try that began after a moment; 0: of any step. */
async function nextStep(client: ApiClient, fid: string, after: number): Promise<number> {
  let resumed = after === 0
  for await (const frame of client.tail(fid)) {
    const { ts } = JSON.parse(frame.data) as { ts: number }
    if (frame.event === 'attempt' && ts > after) resumed = true
    if (resumed && frame.event === 'step') return ts
  }
  throw new Error(`run ${fid} was not continued`)
}
