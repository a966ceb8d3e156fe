import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startRedis, startTemporal, type TemporalServer } from '@koco/testing'
import { createInstallation } from '../processes/installation.ts'
import { workersOf } from '../processes/temporal-stack.ts'
import { Evidence } from './evidence.ts'
import { recordOf } from './judge.ts'
import { Subject } from './subject.ts'
import type { World } from './world.ts'

const FLOWS = fileURLToPath(new URL('../flows/crash-flows.ts', import.meta.url))
const CLOCK = fileURLToPath(new URL('step-clock.mjs', import.meta.url))

/** Panel, one spooler and two workers over Temporal, Redis and SQLite. */
export type TemporalWorld = World & { readonly workers: readonly Subject[]; readonly temporal: TemporalServer }

/** Starts one. The workers' clock is set 90 s back by each SIGUSR2. */
export async function temporalWorld(): Promise<TemporalWorld> {
  const [redis, temporal] = await Promise.all([startRedis({ config: { appendonly: 'yes' } }), startTemporal()])
  const evidence = new Evidence()
  const heard = evidence.hear
  const settings = { KODO_EVENT_TRANSPORT: 'redis', KODO_REDIS_URL: redis.url, KODO_EXECUTION_MODE: 'temporal', KODO_TEMPORAL_HOST: temporal.address }
  const installation = await createInstallation({ KODO_FLOWS: FLOWS, KODO_LOG_LEVEL: 'info', ...settings })
  const witness = join(installation.dir, 'witness')
  mkdirSync(witness)
  const panel = new Subject('panel', () => installation.startPanel('serve', [], { heard }))
  await panel.start()
  installation.spawn(['spool', '--block', '--spooler-name', 'spooler-1'], { heard })
  const client = await installation.client()
  const work = (name: string) =>
    new Subject(name, async () => {
      const worker = installation.spawn(['temporal-worker'], { heard, env: { NODE_OPTIONS: `--import ${CLOCK}` } })
      await worker.until(async () => (await workersOf(client)).includes(worker.pid))
      return worker
    })
  const workers = [work('worker-1'), work('worker-2')]
  for (const worker of workers) await worker.start()
  evidence.watch(installation.address)
  return {
    panel,
    client,
    evidence,
    witness,
    workers,
    temporal,
    stored: async (fid) => (await client.events(fid)).map(recordOf),
    async close() {
      evidence.close()
      await installation.close()
      await Promise.all([redis.stop(), temporal.stop()])
    },
  }
}
