import type { TestProject } from 'vitest/node'
import { chromiumProgram } from '../servers/chromium.ts'
import { startPostgres } from '../servers/postgres.ts'
import { redisProgram } from '../servers/redis-program.ts'
import { startRedis } from '../servers/redis.ts'
import { startS3 } from '../servers/s3.ts'
import { startTemporal } from '../servers/temporal.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string
    postgresUrl: string
    /** One for each worker, with commas between: `ofThisWorker` picks. */
    temporalAddresses: string
    s3Url: string
    chromium: string
    /** Why this project's tests are skipped; empty when they run. */
    skipped: string
  }
}

type Address = 'redisUrl' | 'postgresUrl' | 'temporalAddresses' | 's3Url' | 'chromium'
type Server = { readonly name: string; readonly provides?: Address; readonly variable?: string; readonly start: (workers: number) => Promise<Started> }
type Started = { readonly address: string; readonly stop: () => Promise<void> }

const nothing = () => Promise.resolve()
const byUrl = (server: { readonly url: string; stop(): Promise<void> }): Started => ({ address: server.url, stop: () => server.stop() })

const redis: Server = { name: 'redis', provides: 'redisUrl', variable: 'KODO_TEST_REDIS_URL', start: async () => byUrl(await startRedis()) }
const postgres: Server = {
  name: 'postgres',
  provides: 'postgresUrl',
  variable: 'KODO_TEST_POSTGRES_URL',
  start: async () => byUrl(await startPostgres({ config: { fsync: 'off' } })),
}
const temporal: Server = { name: 'temporal', provides: 'temporalAddresses', variable: 'KODO_TEST_TEMPORAL_ADDRESS', start: startOneEach }
const s3: Server = { name: 's3', provides: 's3Url', variable: 'KODO_TEST_S3_URL', start: async () => byUrl(await startS3()) }
const chromium: Server = { name: 'chromium', provides: 'chromium', start: async () => ({ address: await chromiumProgram(), stop: nothing }) }
// A crash test breaks its servers, so each starts its own (startRedis, startPostgres, …); the program is there before the first test's time runs.
const redisInstalled: Server = { name: 'redis', start: async () => ({ address: (await redisProgram()).command, stop: nothing }) }

/** A development server is slow for two files at a time. */
async function startOneEach(workers: number): Promise<Started> {
  const servers = await Promise.all(Array.from({ length: workers }, () => startTemporal()))
  return { address: servers.map(({ address }) => address).join(','), stop: async () => void (await Promise.all(servers.map((server) => server.stop()))) }
}

/** What a suffix needs. */
const NEEDS: Readonly<Record<string, readonly Server[]>> = {
  redis: [redis],
  pg: [postgres, redis],
  temporal: [temporal, redis, postgres],
  s3: [s3],
  crash: [redisInstalled],
  e2e: [redis, postgres, chromium],
}

/**
 * vitest's global set-up of one project: starts what its tests need, gives their addresses to `inject`, ends them afterwards. A server that cannot be had fails the project with
 * the remedy, unless KODO_TEST_ALLOW_SKIP names it: then the project's tests are skipped, and counted.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const needed = NEEDS[project.name] ?? []
  const outcomes = await Promise.allSettled(needed.map((server) => open(server, project.config.maxWorkers)))
  const started = outcomes.filter((outcome) => outcome.status === 'fulfilled').map((outcome) => outcome.value)
  const teardown = async () => {
    await Promise.all(started.map((server) => server.stop()))
  }
  const missing = needed.flatMap(({ name }, index) => (outcomes[index]?.status === 'rejected' ? [{ name, error: outcomes[index].reason as Error }] : []))
  const forbidden = missing.find(({ name }) => !allowedToSkip().includes(name))
  if (forbidden) {
    await teardown()
    throw forbidden.error
  }
  project.provide('skipped', missing.map(({ name, error }) => `no ${name}: ${error.message}`).join('\n'))
  needed.forEach(({ provides }, index) => {
    const outcome = outcomes[index]
    if (provides && outcome?.status === 'fulfilled') project.provide(provides, outcome.value.address)
  })
  return teardown
}

async function open({ variable, start }: Server, workers: number): Promise<Started> {
  const given = variable === undefined ? undefined : process.env[variable]
  return given ? { address: given, stop: nothing } : await start(workers)
}

function allowedToSkip(): string[] {
  return (process.env['KODO_TEST_ALLOW_SKIP'] ?? '').split(',').map((name) => name.trim())
}
