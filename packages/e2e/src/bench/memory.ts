import { setTimeout as delay } from 'node:timers/promises'
import { readFile } from 'node:fs/promises'
import { createRedisTransport } from '@koco/transport/redis'
import { openExecutionStore } from '@koco/storage'
import { ORIGIN } from '@koco/core'
import { distributed, embedded } from '../processes/stacks.ts'
import { atMost, noted, type Figure } from './figure.ts'
import { benchBodies, benchRun } from './rows.ts'

const STREAMS = 2000
const READERS = 200

/** Resident memory of a spooler process that keeps 2,000 streams going, and of an embedded process with 200 live readers of one busy run; with the longest time for which the event loop stood still. */
export async function memory(): Promise<Figure[]> {
  return [await spoolerMemory(), ...(await panelMemory())]
}

async function spoolerMemory(): Promise<Figure> {
  await using stack = await distributed(0)
  const spooler = stack.spawn(['spool', '--block', '--spooler-name', 'spooler-1'])
  const transport = createRedisTransport({ url: stack.env['KODO_REDIS_URL'] ?? '' })
  const store = await openExecutionStore({ url: stack.env['KODO_EXECUTION_DATABASE'] ?? '' })
  const bodies = benchBodies(40)
  for (let index = 0; index < STREAMS; index += 1) {
    const run = benchRun(index)
    await store.runs.create({ ...run, launcher: 'direct', idempotencyKey: null })
    await transport.streams.create(run.fid, ORIGIN)
  }
  let peak = 0
  for (let from = 0; from < bodies.length; from += 10) {
    await Promise.all(
      Array.from({ length: STREAMS }, (_none, index) =>
        transport.streams.append(benchRun(index).fid, 1_700_000_000_000, from + 1, bodies.slice(from, from + 10)),
      ),
    )
    peak = Math.max(peak, await residentMb(spooler.pid))
  }
  while ((await transport.consumer('probe').status()).some((status) => status.lag > 0)) {
    peak = Math.max(peak, await residentMb(spooler.pid))
    await delay(100)
  }
  await Promise.all([transport.close(), store.close()])
  return atMost(`spooler with ${STREAMS} open streams, resident`, peak, 'MB', 250)
}

async function panelMemory(): Promise<Figure[]> {
  await using stack = await embedded()
  const client = await stack.client()
  const fid = await client.start('emit-at-rate', { perSecond: 200, seconds: 10 })
  const readers = Array.from({ length: READERS }, async () => {
    let last = ''
    for await (const frame of client.tail(fid)) {
      if (frame.event === 'end') break
      last = frame.id ?? last
    }
    return last
  })
  await delay(2000)
  // Who asks begins the measure of the delay anew: up to here code was loaded and readers came.
  const before = await (await client.request('GET', '/metrics')).text()
  await delay(6000)
  const metrics = await (await client.request('GET', '/metrics')).text()
  const ends = await Promise.all(readers)
  if (new Set(ends).size !== 1) throw new Error('the readers ended at different positions')
  return [
    atMost(`embedded process with ${READERS} live readers, resident`, metric(metrics, 'process_resident_memory_bytes') / 1e6, 'MB', 250),
    noted('its event loop while it starts and they come, longest delay', loopDelayMs(before), 'ms'),
    atMost('its event loop while events are stored and shown, longest delay', loopDelayMs(metrics), 'ms', 50),
  ]
}

function loopDelayMs(metrics: string): number {
  return metric(metrics, 'nodejs_eventloop_lag_max_seconds') * 1000
}

function metric(text: string, name: string): number {
  return Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)`, 'm').exec(text)?.[1])
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000
}
