// Goal: a service that is started before its database or its Redis waits for them, says so, is not ready meanwhile, and then works; what no waiting mends ends it at once. Method: the real commands as
// processes, servers of this file's own that are stopped first and come up one after the other.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort, newFolder, startPostgres, startRedis, type PostgresServer, type RedisServer } from '@koco/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/koco.mjs', import.meta.url))
const FLOWS = fileURLToPath(new URL('../fixtures/flows.ts', import.meta.url))
/** A try that finds a server away ends after some 5 s of its own, the pause before it may be as long, and three processes start at once. */
const GUARD = { timeout: 90_000 }

let postgres: PostgresServer
let redis: RedisServer
let cwd: string
const running: ChildProcess[] = []

beforeAll(async () => {
  ;[postgres, redis] = await Promise.all([startPostgres({ config: { fsync: 'off' } }), startRedis()])
})
afterAll(async () => {
  await Promise.all([postgres.stop(), redis.stop()])
})
beforeEach(() => {
  cwd = newFolder('late-servers')
})
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  rmSync(cwd, { recursive: true, force: true })
})

function start(argv: readonly string[], change: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [BIN, ...argv], {
    cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      KODO_EVENT_TRANSPORT: 'redis',
      KODO_REDIS_URL: redis.url,
      KODO_EXECUTION_DATABASE: postgres.url,
      KODO_FLOWS: FLOWS,
      KODO_LOG_LEVEL: 'warn',
      KODO_LOG_FORMAT: 'json',
      ...change,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  running.push(child)
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const closed = once(child, 'close')
  return {
    child,
    /** The codes of what it said that it waits for, each once. */
    waits: () => [...new Set([...err.matchAll(/"code":"(\w+)"[^\n]*koco waits here/g)].map(([, code]) => code))],
    said: () => err.split('koco waits here').length - 1,
    async ended() {
      const [code] = await closed
      return { code: code as number | null, err }
    },
  }
}

async function readiness(address: string): Promise<unknown> {
  try {
    return await (await fetch(`http://${address}/readyz`)).json()
  } catch {
    return 'nobody'
  }
}

test('spooler, worker and panel wait for a Postgres and a Redis that come up late', async () => {
  expect((await start(['db', '--create-tables']).ended()).code).toBe(0)
  await Promise.all([postgres.kill(), redis.kill()])
  const begun = performance.now()
  const [forSpooler, forWorker, forPanel] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const nowhere = { KODO_EXECUTION_MODE: 'temporal', KODO_TEMPORAL_HOST: `127.0.0.1:${await freePort()}` }
  const spooler = start(['spool', '--block', '--metrics', forSpooler])
  const worker = start(['temporal-worker', '--metrics', forWorker], nowhere)
  const panel = start(['serve', '--address', `http://${forPanel}`])
  for (const { waits } of [spooler, worker, panel]) await expect.poll(waits, GUARD).toEqual(['store_unavailable'])
  expect((await fetch(`http://${forSpooler}/healthz`)).status).toBe(200)
  for (const address of [forSpooler, forWorker]) expect(await readiness(address)).toEqual({ ready: false, because: 'store_unavailable' })
  expect(await readiness(forPanel)).toBe('nobody')
  await postgres.restart()
  for (const { waits } of [spooler, worker, panel]) await expect.poll(waits, GUARD).toEqual(['store_unavailable', 'redis_unavailable'])
  await redis.restart()
  await expect.poll(() => readiness(forSpooler), GUARD).toEqual({ ready: true })
  await expect.poll(() => readiness(forPanel), GUARD).toMatchObject({ ready: true })
  await expect.poll(() => readiness(forWorker), GUARD).toEqual({ ready: false, because: 'temporal_unavailable' })
  // Not at each try: for each thing that is away (Postgres, Redis, Redis while it loads), and once a minute.
  const minutes = Math.floor((performance.now() - begun) / 60_000)
  for (const { said } of [spooler, panel]) expect(said()).toBeLessThanOrEqual(3 + minutes)
  for (const { child } of [spooler, worker, panel]) child.kill('SIGTERM')
  for (const process of [spooler, worker, panel]) expect(await process.ended()).toMatchObject({ code: 0 })
})

test('what no waiting mends ends it at once with one sentence, also while something else is away', async () => {
  const missing = postgres.url.replace(/postgres$/, 'nowhere')
  const nobody = `redis://127.0.0.1:${await freePort()}`
  for (const argv of [
    ['spool', '--block'],
    ['serve', '--address', `http://127.0.0.1:${await freePort()}`],
  ]) {
    const { code, err } = await start(argv, { KODO_EXECUTION_DATABASE: missing, KODO_REDIS_URL: nobody }).ended()
    expect(err).toContain('Create the database')
    expect(err).not.toContain('koco waits here')
    expect(code).toBe(4)
  }
})
