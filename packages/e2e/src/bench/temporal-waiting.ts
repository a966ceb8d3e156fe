import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiClient } from '../processes/api-client.ts'
import { temporalStack } from '../processes/temporal-stack.ts'
import { atMost, type Figure } from './figure.ts'

const RUNS = 1000
const TOGETHER = 500
const AT_ONCE = 50
const LOOK_MS = 100

/** Many runs that wait for a person on one worker: what they cost, and how soon they go on. */
export async function waitingTemporal(): Promise<Figure[]> {
  await using stack = await temporalStack()
  const client = await stack.client()
  // The first start after a change strips types, and holds what does so for its life; an installed koco has none to strip.
  await (await stack.startWorker(client)).kill('SIGTERM')
  const worker = await stack.startWorker(client)
  const fids: string[] = []
  await inLanes(RUNS, async () => void fids.push(await client.start('asks-once', {})))
  await until(async () => (await count(client, 'awaiting')) === RUNS)
  const memory = await residentMiB(worker.pid)
  const [alone, ...rest] = fids
  const aloneMs = await timed(() => answerAndWait(client, alone ?? ''))
  const some = rest.slice(0, TOGETHER)
  const togetherMs = await timed(async () => {
    await inLanes(some.length, async (index) => answer(client, some[index] ?? ''))
    await until(async () => (await count(client, 'finished')) >= TOGETHER + 1)
  })
  await worker.kill('SIGKILL')
  return [
    atMost(`Temporal: memory of a worker with ${RUNS} waiting runs`, memory, 'MiB', 300),
    atMost('Temporal: one waiting run answered, to its end', aloneMs, 'ms', 500),
    atMost(`Temporal: ${TOGETHER} waiting runs answered at once, to the end of all`, togetherMs / 1000, 's', 20),
  ]
}

async function answer(client: ApiClient, fid: string): Promise<void> {
  const lock = (await client.run(fid)).locks.find(({ status }) => status === 'open')
  await client.json('POST', `/api/runs/${fid}/locks/${lock?.lid}`, { answer: true })
}

async function answerAndWait(client: ApiClient, fid: string): Promise<void> {
  const ended = (async () => {
    for await (const frame of client.tail(fid)) if (frame.event === 'end') return
  })()
  await answer(client, fid)
  await ended
}

/** How many runs there are of a status, by the panel's own figures: a look that costs it next to nothing. */
async function count(client: ApiClient, status: string): Promise<number> {
  const metrics = await (await client.request('GET', '/metrics')).text()
  return Number(new RegExp(`^koco_runs\\{status="${status}"\\} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0)
}

async function inLanes(times: number, work: (index: number) => Promise<void>): Promise<void> {
  const waiting = Array.from({ length: times }, (_, index) => index).values()
  const lane = async (): Promise<void> => {
    for (const index of waiting) await work(index)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await delay(LOOK_MS)
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function residentMiB(pid: number): Promise<number> {
  const kib = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1024
}
