import type { ApiClient } from '../processes/api-client.ts'
import { distributed, embedded } from '../processes/stacks.ts'
import { atLeast, atMost, elsewhere, percentile, type Figure } from './figure.ts'

const WARM_UP = 50
const ALONE = 100
const TOGETHER = 2000
const IN_FLIGHT = 50
const STEPS = 200

/** A run of three trivial steps, started and awaited in one HTTP request, in one process. */
export async function runsEmbedded(): Promise<Figure[]> {
  await using stack = await embedded()
  // Awaited here: the processes end with this block.
  return await runFigures('embedded', await stack.client(), 8, 400)
}

/** The same with Redis, Postgres and one spooler process. */
export async function runsDistributed(): Promise<Figure[]> {
  await using stack = await distributed(1)
  return [
    ...(await runFigures('Redis + Postgres', await stack.client(), 12, 300)),
    elsewhere('Restate: one run', 12, 'ms'),
    elsewhere('Restate: 50 in flight', 305, 'runs/s'),
    elsewhere('Restate: one step', 1.3, 'ms'),
    elsewhere('DBOS on Postgres: one run', 12, 'ms'),
    elsewhere('DBOS on Postgres: 50 in flight', 237, 'runs/s'),
    elsewhere('DBOS on Postgres: one step', 2.1, 'ms'),
  ]
}

async function runFigures(where: string, client: ApiClient, aloneMs: number, perSecond: number): Promise<Figure[]> {
  for (let run = 0; run < WARM_UP; run += 1) await runOnce(client)
  const alone: number[] = []
  for (let run = 0; run < ALONE; run += 1) alone.push(await runOnce(client))
  const rate = await together(client)
  const steps = await stepCosts(client)
  return [
    atMost(`${where}: a three-step run, p50`, percentile(alone, 0.5), 'ms', aloneMs),
    atLeast(`${where}: three-step runs, ${IN_FLIGHT} in flight`, rate, 'runs/s', perSecond),
    atMost(`${where}: a step in a run of ${STEPS}, p50`, percentile(steps, 0.5), 'ms', 1),
  ]
}

async function runOnce(client: ApiClient): Promise<number> {
  const start = performance.now()
  const run = await client.startAndWait('three-steps', {})
  if (run.status !== 'finished') throw new Error(`run ${run.fid} is ${run.status}`)
  return performance.now() - start
}

async function together(client: ApiClient): Promise<number> {
  let left = TOGETHER
  const start = performance.now()
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await runOnce(client)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return TOGETHER / ((performance.now() - start) / 1000)
}

async function stepCosts(client: ApiClient): Promise<number[]> {
  const run = await client.startAndWait('many-steps', { steps: STEPS })
  return (run.final as unknown as { value: { ms: number[] } }).value.ms
}
