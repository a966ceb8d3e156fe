import { fileURLToPath } from 'node:url'
import { startRedis, startTemporal, startTemporalOnPostgres, type RedisServer, type TemporalServer } from '@koco/testing'
import { createInstallation, type Installation } from './installation.ts'
import type { KocoProcess } from './koco-process.ts'
import type { ApiClient } from './api-client.ts'

const FLOWS = fileURLToPath(new URL('../flows/bench-flows.ts', import.meta.url))

/** An installation in Temporal mode with servers of its own: panel and one spooler run, workers are started by who needs them. */
export type TemporalStack = Installation &
  AsyncDisposable & {
    readonly redis: RedisServer
    readonly temporal: TemporalServer
    /** Starts a worker process and resolves when the catalogue shows it. */
    startWorker(client: ApiClient, args?: readonly string[]): Promise<KocoProcess>
  }

/** `page`: Temporal has its own page, and runs link to it. `kind`: the server of developers, the default, or the one of installations. */
type TemporalChoice = { readonly page?: boolean; readonly kind?: 'development' | 'postgres' }

/** Starts it; runs are stored in SQLite unless the settings name a database. */
export async function temporalStack(
  settings: Readonly<Record<string, string>> = {},
  { page = false, kind = 'development' }: TemporalChoice = {},
): Promise<TemporalStack> {
  const [redis, temporal] = await Promise.all([startRedis(), kind === 'postgres' ? startTemporalOnPostgres() : startTemporal({ page })])
  const installation = await createInstallation({
    KODO_FLOWS: FLOWS,
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: redis.url,
    KODO_EXECUTION_MODE: 'temporal',
    KODO_TEMPORAL_HOST: temporal.address,
    ...(temporal.page !== null && { KODO_TEMPORAL_UI: temporal.page }),
    ...settings,
  })
  const close = async (): Promise<void> => {
    await installation.close()
    await Promise.all([redis.stop(), temporal.stop()])
  }
  if (settings['KODO_EXECUTION_DATABASE'] !== undefined) await installation.spawn(['db', '--create-tables']).exited
  await installation.startPanel('serve')
  installation.spawn(['spool', '--block', '--spooler-name', 'spooler-1'])
  const startWorker = async (client: ApiClient, args: readonly string[] = []): Promise<KocoProcess> => {
    const worker = installation.spawn(['temporal-worker', ...args])
    await worker.until(async () => (await workersOf(client)).includes(worker.pid))
    return worker
  }
  return { ...installation, redis, temporal, startWorker, close, [Symbol.asyncDispose]: close }
}

/** The process ids of the workers that serve the flows. */
export async function workersOf(client: ApiClient): Promise<number[]> {
  const flows = await client.json<{ items: { name: string; workers: { pid: number; live: boolean }[] }[] }>('GET', '/api/flows')
  return (flows.items[0]?.workers ?? []).filter(({ live }) => live).map(({ pid }) => pid)
}
