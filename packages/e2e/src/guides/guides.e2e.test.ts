// Goal: every command of the guides in TESTING.md does what the page says. Method: each guide's commands run in bash in a folder that stands for the checkout, over servers of their own, with only addresses and ports changed.
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { clientsFolder, composeLoader, createDatabase, freePort, newFolder, startRedis, type RedisServer } from '@koco/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { guideScript, readComposeCommand, readGuides } from './guide.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const GUIDES = readGuides(readFileSync(join(ROOT, 'TESTING.md'), 'utf8'))
const GUIDE_MS = 420_000
const END_MS = 30_000

let clients: string
let redis: RedisServer
beforeAll(async () => {
  clients = await clientsFolder()
  redis = await startRedis()
})
afterAll(async () => {
  await redis.stop()
  rmSync(clients, { recursive: true, force: true })
})

test('the page has the guides that were promised', () => {
  const titles = GUIDES.map(({ title }) => title.split(':')[0])
  expect(titles).toEqual(['PostgreSQL', 'Redis', 'Temporal', 'E2E 1', 'E2E 2', 'E2E 3', 'E2E 4', 'E2E 5'])
})

for (const { title, commands } of GUIDES.filter((guide) => guide.commands.length > 0)) {
  test(`${title}: each command runs and shows what the page says`, { timeout: GUIDE_MS + 30_000 }, async () => {
    const folder = checkoutFolder()
    try {
      const { code, output } = await runScript(guideScript(await withAddresses(commands)), folder)
      expect(code, output).toBe(0)
    } finally {
      await redis.restart({ wipe: true })
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    }
  })
}

test('the commands for Docker name services and profiles that the compose file has', async () => {
  const env = { PATH: process.env['PATH'], COMPOSE_PROFILES: '*' }
  const { stdout } = await promisify(execFile)(await composeLoader(), ['-format', 'json', join(ROOT, 'docker-compose.yml')], { cwd: ROOT, env })
  const { services } = JSON.parse(stdout) as { services: Record<string, { profiles?: string[] }> }
  const commands = GUIDES.flatMap(({ docker }) => docker).map(readComposeCommand)
  expect(commands.length).toBeGreaterThan(5)
  const profiles = Object.values(services).flatMap((service) => service.profiles ?? [])
  expect(Object.keys(services)).toEqual(expect.arrayContaining(commands.flatMap((command) => command.services)))
  expect(profiles).toEqual(expect.arrayContaining(commands.flatMap((command) => command.profiles)))
  expect(commands.map(({ verb }) => verb).filter((verb) => !['up', 'run', 'ps', 'logs', 'down'].includes(verb))).toEqual([])
})

/** A folder in which `npx koco` and the checkout's files are found, and whose `data` is thrown away. */
function checkoutFolder(): string {
  const folder = newFolder('guide')
  for (const name of ['node_modules', 'packages', 'package.json']) symlinkSync(join(ROOT, name), join(folder, name))
  mkdirSync(join(folder, 'tmp'))
  return folder
}

async function withAddresses(commands: readonly string[]): Promise<string[]> {
  const database = await createDatabase(inject('postgresUrl'))
  const ports: Readonly<Record<string, number>> = { '3370': await freePort(), '6380': redis.port, '7233': await freePort() }
  return commands.map((line) =>
    line.replaceAll('postgresql://koco@localhost:5433/koco', database.url).replaceAll(/\b(3370|6380|7233)\b/g, (port) => String(ports[port])),
  )
}

async function runScript(script: string, cwd: string): Promise<{ code: number | null; output: string }> {
  const panel = /localhost:(\d+)\/readyz/.exec(script)?.[1]
  const child = spawn('bash', ['-c', script], {
    cwd,
    env: {
      PATH: `${clients}:${process.env['PATH'] ?? ''}`,
      HOME: process.env['HOME'],
      TMPDIR: join(cwd, 'tmp'),
      // At a prompt these are the defaults; here other tests may have the port.
      ...(panel !== undefined && { KODO_APP_SERVER: `http://localhost:${panel}` }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: GUIDE_MS,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'exit')) as [number | null]
  await leave(cwd)
  return { code, output }
}

/** Ends whoever still works in a folder, a background spooler too, and waits until they are gone. Each is told once (a second SIGTERM cuts a spooler's orderly end), then killed. */
async function leave(folder: string): Promise<void> {
  const told = new Set<number>()
  const patience = Date.now() + END_MS
  for (let pids = workersIn(folder); pids.length > 0; pids = workersIn(folder)) {
    const late = Date.now() > patience
    for (const pid of pids) {
      if (late || !told.has(pid)) tell(pid, late ? 'SIGKILL' : 'SIGTERM')
      told.add(pid)
    }
    await delay(50)
  }
}

/** The processes whose working folder it is, where the system says so in files. */
function workersIn(folder: string): number[] {
  if (!existsSync('/proc/self/cwd')) return []
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && workingFolder(pid) === folder)
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    // It has ended meanwhile, or is somebody else's.
    return undefined
  }
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
