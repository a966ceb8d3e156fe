// Goal: `koco drill` breaks what it says, is judged by the checker, prints what programs read, and leaves the installation as it was. Method: the command against a Redis and a Temporal of the test's own; the whole of it takes
// minutes and is for people, three drills stand for the rest. Servers are restarted for real, by a command of the test's own.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startPostgres, startRedis, startTemporal } from '@koco/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation } from '../processes/installation.ts'

type Report = {
  readonly drill: string
  readonly ok: boolean
  readonly seconds: number
  readonly checker: { readonly acknowledged: number; readonly stored: number; readonly duplicates: number; readonly holes: number }
  readonly note: string
}

type Restarted = { restart(): Promise<void> }

let installation: Installation
let settings: Readonly<Record<string, string>>
let servers: { readonly redis: Restarted; readonly temporal: Restarted }
const stops: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  const [redis, temporal] = await Promise.all([startRedis({ config: { appendonly: 'yes' } }), startTemporal()])
  stops.push(
    () => redis.stop(),
    () => temporal.stop(),
  )
  servers = { redis, temporal }
  settings = {
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: redis.url,
    KODO_EXECUTION_MODE: 'temporal',
    KODO_TEMPORAL_HOST: temporal.address,
  }
  installation = await createInstallation(settings)
})

afterAll(async () => {
  await installation.close()
  await Promise.all(stops.map((stop) => stop()))
})

async function drilled(of: Installation, ...args: readonly string[]): Promise<readonly Report[]> {
  const drill = of.spawn(['drill', ...args, '-o', 'json'])
  const code = await drill.exited
  const output = drill.output()
  const reports = JSON.parse(output.slice(output.indexOf('\n[') + 1, output.lastIndexOf(']') + 1)) as Report[]
  expect([code, ...reports.filter(({ ok }) => !ok)], output).toEqual([0])
  return reports
}

/** Commands by which a shell restarts these servers: they ask this process, which started them. */
async function restartCommands(
  all: Readonly<Record<string, Restarted>>,
): Promise<{ readonly restarts: readonly string[]; readonly commands: Record<string, string> }> {
  const restarts: string[] = []
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? ''
    restarts.push(name)
    const answer = (code: number) => () => response.writeHead(code).end()
    ;(all[name]?.restart() ?? Promise.reject(new Error(name))).then(answer(204), answer(500))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  stops.push(async () => server.close())
  const { port } = server.address() as AddressInfo
  const ask = (name: string) => `${process.execPath} -e 'fetch("http://127.0.0.1:${port}/${name}").then(({ ok }) => process.exit(ok ? 0 : 1))'`
  return { restarts, commands: Object.fromEntries(Object.keys(all).map((name) => [name, ask(name)])) }
}

test('a killed worker, a workflow terminated in Temporal, a cancel: each goes well, and the checker counts', async () => {
  const reports = await drilled(installation, 'worker', 'terminate', 'cancel')
  expect(reports.map(({ drill }) => drill)).toEqual(['worker', 'terminate', 'cancel'])
  for (const { checker, seconds, note } of reports) {
    expect(checker).toMatchObject({ duplicates: 0, holes: 0 })
    expect(checker.acknowledged).toBeGreaterThan(10)
    expect(checker.stored).toBeGreaterThanOrEqual(checker.acknowledged)
    expect(seconds).toBeGreaterThan(0)
    expect(note).toMatch(/\(run [0-9a-f]{24}\)$/)
  }
})

test('what was drilled with is in no list', async () => {
  await installation.startPanel('serve')
  const client = await installation.client()
  expect(await client.json('GET', '/api/runs')).toMatchObject({ items: [] })
  expect(await client.json('GET', '/api/flows')).toMatchObject({ items: [] })
})

test('Redis, Postgres and Temporal are restarted by the given commands in the middle of runs, which lose nothing by it', async () => {
  const postgres = await startPostgres()
  stops.push(() => postgres.stop())
  const distributed = await createInstallation({ ...settings, KODO_EXECUTION_DATABASE: postgres.url })
  stops.unshift(() => distributed.close())
  expect(await distributed.spawn(['db', '--create-tables']).exited).toBe(0)
  const { restarts, commands } = await restartCommands({ ...servers, postgres })
  const names = ['redis', 'postgres', 'temporal']
  const reports = await drilled(distributed, ...names, ...names.flatMap((name) => [`--restart-${name}`, commands[name] ?? '']))
  expect(restarts).toEqual(names)
  expect(reports.map(({ drill }) => drill)).toEqual(names)
  for (const { checker, note } of reports) {
    expect(note).toContain('restarted by')
    expect(checker).toMatchObject({ duplicates: 0, holes: 0 })
    expect(checker.acknowledged).toBeGreaterThan(1000)
  }
})

test('a command that cannot restart its server fails its drill with what it said', async () => {
  const drill = installation.spawn(['drill', 'redis', '--restart-redis', 'echo no such service >&2; exit 5', '-o', 'json'])
  expect(await drill.exited).toBe(1)
  expect(drill.output()).toMatch(/"ok": ?false/)
  expect(drill.output()).toContain('no such service')
})
