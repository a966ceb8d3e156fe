// Goal: the image holds all that its roles need. Method: its files in a bare root, each koco service of the compose file started there with its command, environment and health check, over real servers; a run goes through.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { composeLoader, createDatabase, freePort, startTemporal } from '@koco/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { ApiClient } from '../processes/api-client.ts'
import { createBareRoot, type BareRoot, type RootProcess } from './bare-root.ts'
import { readDockerfile } from './dockerfile.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const IMAGE = readDockerfile(readFileSync(join(ROOT, 'packages/cli/Dockerfile'), 'utf8'))
const NODE = '/usr/local/bin/node'
const READY_MS = 60_000

type Service = { readonly command?: readonly string[]; readonly entrypoint?: readonly string[]; readonly environment?: Readonly<Record<string, string>> }

let root: BareRoot
let services: Readonly<Record<string, Service>>
let database: { readonly url: string }
let redisUrl: string
let prefix: string

beforeAll(async () => {
  const loader = await composeLoader()
  const env = { PATH: process.env['PATH'], COMPOSE_PROFILES: 'temporal' }
  const { stdout } = await promisify(execFile)(loader, ['-format', 'json', join(ROOT, 'docker-compose.yml')], { cwd: ROOT, env })
  services = (JSON.parse(stdout) as { services: Record<string, Service> }).services
  root = await createBareRoot()
  database = await createDatabase(inject('postgresUrl'))
  redisUrl = inject('redisUrl')
  prefix = `image-${process.pid}:`
})
afterAll(() => root.close())

/** A service's environment with the servers of this test in the place of the containers'. */
async function environment(name: string): Promise<Record<string, string>> {
  const own = services[name]?.environment ?? {}
  const ports = { KODO_LISTEN: `127.0.0.1:${await freePort()}`, KODO_METRICS: `127.0.0.1:${await freePort()}` }
  return { ...IMAGE.env, ...own, KODO_REDIS_URL: redisUrl, KODO_REDIS_STREAM_PREFIX: prefix, ...ports }
}

function start(name: string, env: Readonly<Record<string, string>>): RootProcess {
  const entrypoint = services[name]?.entrypoint ?? IMAGE.entrypoint
  return root.spawn([NODE, ...entrypoint.slice(1), ...(services[name]?.command ?? IMAGE.command)], env)
}

async function healthy(process: RootProcess, env: Readonly<Record<string, string>>): Promise<void> {
  const ended = process.exited.then((code) => Promise.reject(new Error(`it ended with ${code}:\n${process.output()}`)))
  ended.catch(() => undefined)
  const deadline = Date.now() + READY_MS
  let said = ''
  while (Date.now() < deadline) {
    const check = root.spawn([NODE, ...IMAGE.healthCheck.slice(1)], env)
    if ((await Promise.race([check.exited, ended])) === 0) return
    said = check.output()
    await delay(100)
  }
  throw new Error(`it did not become healthy: ${said}\n${process.output()}`)
}

test('secrets, migrate, panel and spooler of the compose file start in the bare root, are healthy, and run a flow', { timeout: 240_000 }, async () => {
  const secrets = start('secrets', await environment('secrets'))
  expect(await secrets.exited, secrets.output()).toBe(0)
  const password = /password (\S+)/.exec(secrets.output())?.[1] ?? ''
  expect(password.length).toBeGreaterThan(12)
  const again = start('secrets', await environment('secrets'))
  await again.exited
  expect(again.output()).toContain(password)
  expect(await readFile(join(root.folder, 'run/koco/database_url'), 'utf8')).toMatch(/^postgresql:\/\/koco:[0-9a-f]{48}@postgres:5432\/koco$/)
  await writeFile(join(root.folder, 'run/koco/database_url'), database.url)

  const migrate = start('migrate', await environment('migrate'))
  expect(await migrate.exited, migrate.output()).toBe(0)

  const panelEnv = await environment('panel')
  const address = `http://${panelEnv['KODO_LISTEN']}`
  const panel = start('panel', { ...panelEnv, KODO_APP_SERVER: address })
  const spoolerEnv = await environment('spooler')
  const spooler = start('spooler', spoolerEnv)
  await Promise.all([healthy(panel, panelEnv), healthy(spooler, spoolerEnv)])

  const client = await ApiClient.signIn(address, 'admin', password)
  const run = await client.startAndWait('folder-report', { folder: '/koco/flows' })
  expect(run).toMatchObject({ status: 'finished' })
  expect(await (await fetch(address)).text()).toContain('<script type="module"')
  const figures = await (await fetch(`http://${spoolerEnv['KODO_METRICS']}/metrics`)).text()
  expect(figures).toMatch(/koco_spooler_events_total\{outcome="inserted"\} [1-9]/)

  panel.kill('SIGTERM')
  spooler.kill('SIGTERM')
  expect(await Promise.all([panel.exited, spooler.exited])).toEqual([0, 0])
})

test('the worker of the profile `temporal` starts there too, and makes runs', { timeout: 240_000 }, async () => {
  await using temporal = await startTemporal()
  const { url } = await createDatabase(inject('postgresUrl'))
  await writeFile(join(root.folder, 'run/koco/database_url'), url)
  const own = { KODO_EXECUTION_MODE: 'temporal', KODO_TEMPORAL_HOST: temporal.address, KODO_REDIS_STREAM_PREFIX: `${prefix}temporal:` }
  const env = async (name: string): Promise<Record<string, string>> => ({
    ...(await environment(name)),
    ...own,
    KODO_ADMIN_PASSWORD_FILE: '/run/koco/admin_password',
  })
  expect(await start('migrate', await env('migrate')).exited).toBe(0)
  const [panelEnv, spoolerEnv, workerEnv] = [await env('panel'), await env('spooler'), await env('temporal-worker')]
  const address = `http://${panelEnv['KODO_LISTEN']}`
  const panel = start('panel', { ...panelEnv, KODO_APP_SERVER: address })
  const [spooler, worker] = [start('spooler', spoolerEnv), start('temporal-worker', workerEnv)]
  await Promise.all([healthy(panel, panelEnv), healthy(spooler, spoolerEnv), healthy(worker, workerEnv)])
  const password = await readFile(join(root.folder, 'run/koco/admin_password'), 'utf8')
  const client = await ApiClient.signIn(address, 'admin', password)
  expect(await client.startAndWait('folder-report', { folder: '/koco/flows' })).toMatchObject({ status: 'finished' })
  const figures = await (await fetch(`http://${workerEnv['KODO_METRICS']}/metrics`)).text()
  expect(figures).toMatch(/koco_append_events_total [1-9]/)
  expect(figures).toMatch(/temporal_worker_task_slots_available/)
  for (const process of [worker, panel, spooler]) process.kill('SIGTERM')
  expect(await Promise.all([worker, panel, spooler].map(({ exited }) => exited))).toEqual([0, 0, 0])
})
