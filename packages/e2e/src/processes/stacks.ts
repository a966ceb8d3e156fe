import { fileURLToPath } from 'node:url'
import { startPostgres, startRedis } from '@koco/testing'
import { createInstallation, type Installation } from './installation.ts'

const FLOWS = fileURLToPath(new URL('../flows/bench-flows.ts', import.meta.url))

/** The module of flows for tests of the page. */
export const PAGE_FLOWS = fileURLToPath(new URL('../flows/page-flows.ts', import.meta.url))

/** The module of the examples. */
export const EXAMPLE_FLOWS = fileURLToPath(new URL('../../../examples/src/index.ts', import.meta.url))

/** An installation with everything that it needs running. */
export type Stack = Installation &
  AsyncDisposable & {
    /** Kills the panel's process as kill -9 does, and starts it again when `meanwhile` is over. */
    crashPanel(meanwhile: () => Promise<void>): Promise<void>
  }

/** One process, no server: `koco start`. */
export async function embedded(settings: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const installation = await createInstallation({ KODO_FLOWS: FLOWS, ...settings })
  const close = () => installation.close()
  const crashPanel = await orClose(close, () => startCrashable(installation, 'start'))
  return { ...installation, crashPanel, [Symbol.asyncDispose]: close }
}

/** `koco serve` and as many `koco spool` as asked for, over a Redis and a Postgres of its own; runs are direct. */
export async function distributed(spoolers: number, settings: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const redis = await startRedis()
  const postgres = await startPostgres()
  const database = await postgres.createDatabase()
  const installation = await createInstallation({
    KODO_FLOWS: FLOWS,
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: redis.url,
    KODO_EXECUTION_DATABASE: database.url,
    ...settings,
  })
  const close = async (): Promise<void> => {
    await installation.close()
    await Promise.all([redis.stop(), postgres.stop()])
  }
  const crashPanel = await orClose(close, async () => {
    await installation.spawn(['db', '--create-tables']).exited
    return startCrashable(installation, 'serve')
  })
  for (let slot = 1; slot <= spoolers; slot += 1) installation.spawn(['spool', '--block', '--spooler-name', `spooler-${slot}`])
  return { ...installation, crashPanel, close, [Symbol.asyncDispose]: close }
}

/** What could not be started leaves nothing behind. */
async function orClose<T>(close: () => Promise<void>, start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    await close()
    throw error
  }
}

async function startCrashable(installation: Installation, command: 'start' | 'serve'): Promise<Stack['crashPanel']> {
  let panel = await installation.startPanel(command)
  return async (meanwhile) => {
    await panel.kill('SIGKILL')
    await meanwhile()
    panel = await installation.startPanel(command)
  }
}
