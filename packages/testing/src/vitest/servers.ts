import type { TestProject } from 'vitest/node'
import { chromiumProgram } from '../servers/chromium.ts'
import { startPostgres } from '../servers/postgres.ts'
import { startRedis } from '../servers/redis.ts'
import { startTemporal } from '../servers/temporal.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string
    postgresUrl: string
    temporalAddress: string
    chromium: string
  }
}

type Provided = { readonly stop: () => Promise<void> } | undefined
type Provide = (project: TestProject) => Promise<Provided>

const redis: Provide = async (project) => {
  const given = process.env['KODO_TEST_REDIS_URL']
  if (given) return void project.provide('redisUrl', given)
  const server = await startRedis()
  project.provide('redisUrl', server.url)
  return server
}

const postgres: Provide = async (project) => {
  const given = process.env['KODO_TEST_POSTGRES_URL']
  if (given) return void project.provide('postgresUrl', given)
  const server = await startPostgres({ config: { fsync: 'off' } })
  project.provide('postgresUrl', server.url)
  return server
}

const temporal: Provide = async (project) => {
  const given = process.env['KODO_TEST_TEMPORAL_ADDRESS']
  if (given) return void project.provide('temporalAddress', given)
  const server = await startTemporal()
  project.provide('temporalAddress', server.address)
  return server
}

const chromium: Provide = async (project) => void project.provide('chromium', await chromiumProgram())

// What a suffix provides. A crash test breaks its servers, so each starts its own (startRedis, startPostgres, …).
const PROVIDED: Readonly<Record<string, readonly Provide[]>> = {
  redis: [redis],
  pg: [postgres, redis],
  temporal: [temporal, redis, postgres],
  crash: [],
  e2e: [redis, postgres, chromium],
}

/** vitest's global set-up of one project: starts what its tests need, gives their addresses to `inject`, ends them afterwards. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = await Promise.allSettled((PROVIDED[project.name] ?? []).map((provide) => provide(project)))
  const teardown = async () => void (await Promise.all(started.map((server) => server.status === 'fulfilled' && server.value?.stop())))
  const failed = started.find((server) => server.status === 'rejected')
  if (!failed) return teardown
  await teardown()
  throw failed.reason
}
