import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import type { ApiClient } from '../processes/api-client.ts'
import { temporalStack } from '../processes/temporal-stack.ts'
import { atLeastTimes, atMost, atMostTimes, percentile, type Figure } from './figure.ts'

const BARE_WORKER = fileURLToPath(new URL('../processes/bare-worker.ts', import.meta.url))
const QUEUE = 'bare'
const WARM_UP = 30
const ALONE = 60
const TOGETHER = 150
const IN_FLIGHT = 50
/** The rate of the bare workflows changes by half from one round to the next, as their polls happen to meet the server's partitions. */
const ROUNDS = 8
const SETTLE_MS = 3000
const STEPS = 200

type Kind = 'koco' | 'oneActivity' | 'threeActivities'

/** A run of three steps through koco's API against workflows of the bare SDK, all on one server, in turn. */
export async function runsTemporal(kind: 'development' | 'postgres'): Promise<Figure[]> {
  await using stack = await temporalStack({}, { kind })
  const client = await stack.client()
  const worker = await stack.startWorker(client)
  const connection = await Connection.connect({ address: stack.temporal.address })
  const bare = spawn(process.execPath, [BARE_WORKER, stack.temporal.address, QUEUE], { stdio: 'ignore' })
  try {
    return await figures(kind === 'postgres' ? 'Temporal on Postgres' : 'Temporal', runner(client, new Client({ connection })), client)
  } finally {
    bare.kill('SIGTERM')
    await once(bare, 'exit')
    await connection.close()
    await worker.kill('SIGTERM')
  }
}

type Run = (kind: Kind) => Promise<number>

/** Makes one run of a kind; gives its milliseconds. */
function runner(client: ApiClient, temporal: Client): Run {
  return async (kind) => {
    const start = performance.now()
    if (kind === 'koco') {
      const run = await client.startAndWait('three-steps', {})
      if (run.status !== 'finished') throw new Error(`run ${run.fid} is ${run.status}`)
    } else await temporal.workflow.execute(kind, { taskQueue: QUEUE, workflowId: randomUUID() })
    return performance.now() - start
  }
}

async function figures(server: string, run: Run, client: ApiClient): Promise<Figure[]> {
  const alone: Record<Kind, number[]> = { koco: [], oneActivity: [], threeActivities: [] }
  const kinds = Object.keys(alone) as Kind[]
  for (let round = 0; round < WARM_UP; round += 1) for (const kind of kinds) await run(kind)
  for (let round = 0; round < ALONE; round += 1) for (const kind of kinds) alone[kind].push(await run(kind))
  const p50 = (kind: Kind): number => percentile(alone[kind], 0.5)
  for (const kind of kinds) await together(() => run(kind))
  // There and back, so that a server that slows down as it fills slows all alike.
  const seconds: Record<Kind, number> = { koco: 0, oneActivity: 0, threeActivities: 0 }
  for (let round = 0; round < ROUNDS; round += 1)
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) seconds[kind] += await together(() => run(kind))
  const rate = (kind: Kind): number => (ROUNDS * TOGETHER) / seconds[kind]
  const steps = await client.startAndWait('many-steps', { steps: STEPS })
  return [
    atMostTimes(`${server}: a three-step run against one bare activity, p50`, p50('koco'), 'ms', p50('oneActivity'), 1.25),
    atMostTimes(`${server}: a three-step run against three activities, p50`, p50('koco'), 'ms', p50('threeActivities'), 0.5),
    atLeastTimes(`${server}: three-step runs against one bare activity, ${IN_FLIGHT} in flight`, rate('koco'), 'runs/s', rate('oneActivity'), 0.8),
    atLeastTimes(`${server}: three-step runs against three activities, ${IN_FLIGHT} in flight`, rate('koco'), 'runs/s', rate('threeActivities'), 1.4),
    atMost(`${server}: a step in a run of ${STEPS}, p50`, percentile((steps.final as unknown as { value: { ms: number[] } }).value.ms, 0.5), 'ms', 1.5),
  ]
}

/** Seconds for a number of runs, many in flight. The server is let finish first what the ones before have left it to do: closing, indexing, deleting. */
async function together(run: () => Promise<number>): Promise<number> {
  await delay(SETTLE_MS)
  let left = TOGETHER
  const start = performance.now()
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await run()
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return (performance.now() - start) / 1000
}
