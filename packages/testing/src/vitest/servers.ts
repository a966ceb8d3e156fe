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

type Address = 'redisUrl' | 'postgresUrl' | 'temporalAddress' | 'chromium'
type Started = { readonly address: string; readonly stop: () => Promise<void> }

const nothing = () => Promise.resolve()
const byUrl = (server: { readonly url: string; stop(): Promise<void> }): Started => ({ address: server.url, stop: () => server.stop() })

/** How each address comes about: the variable that gives it, else what starts a server. */
const SOURCES: Readonly<Record<Address, { readonly variable: string; readonly start: () => Promise<Started> }>> = {
  redisUrl: { variable: 'KODO_TEST_REDIS_URL', start: async () => byUrl(await startRedis()) },
  postgresUrl: {
    variable: 'KODO_TEST_POSTGRES_URL',
    start: async () => byUrl(await startPostgres({ config: { fsync: 'off' } })),
  },
  temporalAddress: { variable: 'KODO_TEST_TEMPORAL_ADDRESS', start: startTemporal },
  chromium: { variable: 'KODO_TEST_CHROMIUM', start: async () => ({ address: await chromiumProgram(), stop: nothing }) },
}

// What a suffix provides. A crash test breaks its servers, so each starts its own (startRedis, startPostgres, …).
const PROVIDED: Readonly<Record<string, readonly Address[]>> = {
  redis: ['redisUrl'],
  pg: ['postgresUrl', 'redisUrl'],
  temporal: ['temporalAddress', 'redisUrl', 'postgresUrl'],
  crash: [],
  e2e: ['redisUrl', 'postgresUrl', 'chromium'],
}

/** vitest's global set-up of one project: starts what its tests need, gives their addresses to `inject`, ends them afterwards. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const needed = PROVIDED[project.name] ?? []
  const outcomes = await Promise.allSettled(needed.map((address) => open(address)))
  const started = outcomes.filter((outcome) => outcome.status === 'fulfilled').map((outcome) => outcome.value)
  const teardown = async () => {
    await Promise.all(started.map((server) => server.stop()))
  }
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue
    await teardown()
    throw outcome.reason
  }
  needed.forEach((name, index) => project.provide(name, started[index]?.address ?? ''))
  return teardown
}

async function open(name: Address): Promise<Started> {
  const { variable, start } = SOURCES[name]
  const given = process.env[variable]
  return given ? { address: given, stop: nothing } : await start()
}
