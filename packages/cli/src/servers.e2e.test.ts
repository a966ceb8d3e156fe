// Goal: the real command as processes, over real servers: start and stop, several processes, and each bad server refused with one sentence and its exit code. Method: child processes in throw-away
// folders against Redis and Postgres of this test run.
import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createDatabase, freePort, keyPrefix, newFolder, startRedis, type TestDatabase } from '@koco/testing'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/koco.mjs', import.meta.url))
const FLOWS = fileURLToPath(new URL('../fixtures/flows.ts', import.meta.url))

let cwd: string
let port: number
let database: TestDatabase
let env: Record<string, string>
const running: ChildProcess[] = []

beforeEach(async () => {
  cwd = newFolder('cli')
  port = await freePort()
  database = await createDatabase(inject('postgresUrl'))
  env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_FLOWS: FLOWS, KODO_LOG_LEVEL: 'warn', KODO_ADMIN_PASSWORD: 'a-password-for-tests' }
})

afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  await database.drop()
  rmSync(cwd, { recursive: true, force: true })
})

const distributed = () => ({
  KODO_EVENT_TRANSPORT: 'redis',
  KODO_REDIS_URL: inject('redisUrl'),
  KODO_REDIS_STREAM_PREFIX: `${keyPrefix()}events:`,
  KODO_EXECUTION_DATABASE: database.url,
})

function start(argv: string[], change: Record<string, string> = {}) {
  const base = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
  const child = spawn(process.execPath, [BIN, ...argv], { cwd, env: { ...base, ...env, ...change }, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()))
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => child.once('close', (code) => resolve({ code, ...texts })))
  const ready = async () => {
    while (
      !(await fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (child.exitCode !== null) throw new Error(`koco ${argv.join(' ')} ended: ${texts.err}`)
      await sleep(20)
    }
  }
  return { child, ended, ready, texts }
}

const koco = (argv: string[], change: Record<string, string> = {}) => start(argv, change).ended

test('start answers, prints where, runs a flow for another process, and ends well at SIGTERM', async () => {
  const server = start(['start'])
  await server.ready()
  const { code, out } = await koco(['run', 'add', '-i', 'a=1', '-i', 'b=2', '--follow'])
  expect(out).toContain('finished')
  expect(code).toBe(0)
  expect((await koco(['runs', 'list', '-o', 'ids'])).out).toMatch(/^[0-9a-f]{24}\n$/)
  server.child.kill('SIGTERM')
  const ended = await server.ended
  expect(ended.out).toContain(`http://127.0.0.1:${port}`)
  expect(ended.out).toContain(join(cwd, 'data'))
  expect(ended.code).toBe(0)
})

test('a question is answered on the command line, whoever asked for it last', async () => {
  const server = start(['start'])
  await server.ready()
  const fid = (await koco(['run', 'ask'])).out.trim()
  let asked = ''
  while (asked === '') asked = (await koco(['locks', 'list', '-o', 'ids'])).out.trim()
  const [, lid = ''] = asked.split(' ')
  expect((await koco(['locks', 'answer', fid, lid, '--input', 'go=maybe'])).code).toBe(2)
  expect((await koco(['locks', 'answer', fid, lid, '--input', 'go=true'])).code).toBe(0)
  expect((await koco(['locks', 'answer', fid, lid, '--input', 'go=true'])).code).toBe(4)
  expect((await koco(['runs', 'events', fid, '--follow'])).out).toContain('went')
})

test('who follows a run alone is shown the command that answers its question, and it does', async () => {
  const { ended, texts } = start(['run', 'ask', '--follow'])
  const shown = /say: koco (locks answer .*)\n/
  while (!shown.test(texts.out)) await sleep(20)
  const answer = shown.exec(texts.out)?.[1] ?? ''
  expect(answer).toMatch(/--input go=true --address http:/)
  expect((await koco(answer.split(' '))).code).toBe(0)
  const { code, out } = await ended
  expect(out).toContain('went')
  expect(out.match(/waits for an answer/g)).toHaveLength(1)
  expect(code).toBe(0)
})

test('over Redis and Postgres: tables first, then spoolers in the background, then the panel', async () => {
  const change = distributed()
  const early = await koco(['serve'], change)
  expect(early.err).toContain('koco db --create-tables')
  expect(early.code).toBe(4)
  expect((await koco(['db', '--create-tables'], change)).code).toBe(0)
  for (const name of ['first', 'second']) expect((await koco(['spool', '--spooler-name', name], change)).out).toContain(`spooler ${name} runs`)
  const twice = await koco(['spool', '--block', '--spooler-name', 'first'], change)
  expect(twice.err).toContain('runs already')
  expect(twice.code).toBe(4)
  await start(['serve'], change).ready()
  expect((await koco(['run', 'add', '-i', 'a=1', '-i', 'b=2', '--follow'], change)).code).toBe(0)
  expect((await koco(['spool', '--status', '-o', 'ids'], change)).out.split('\n')).toEqual(expect.arrayContaining(['first', 'second']))
  const stopped = await koco(['spool', '--stop'], change)
  expect(stopped.out.split('\n').toSorted()).toEqual(['', 'first stopped', 'second stopped'])
})

test('a port in use is refused with another one to take', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve))
  const { code, err } = await koco(['start'])
  taken.close()
  expect(err).toContain(String(port))
  expect(err).not.toMatch(/\n {4}at /)
  expect(code).toBe(4)
})

test('a Redis that evicts is refused with the setting to change', async () => {
  const redis = await startRedis({ config: { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' } })
  try {
    const { code, err } = await koco(['start'], { ...distributed(), KODO_REDIS_URL: redis.url })
    expect(err).toContain('noeviction')
    expect(code).toBe(4)
  } finally {
    await redis.stop()
  }
})

test('servers that do not answer give exit code 3 where a command needs them at once, and the doctor says which', async () => {
  const nobody = { ...distributed(), KODO_REDIS_URL: `redis://127.0.0.1:${await freePort()}` }
  const status = await koco(['spool', '--status'], nobody)
  expect(status.err.trim().split('\n')).toHaveLength(1)
  expect(status.code).toBe(3)
  const { code, out } = await koco(['doctor'], nobody)
  expect(out).toMatch(/^FAIL {2}transport: /m)
  expect(out).toMatch(/^FAIL {2}execution store: .*koco db --create-tables/m)
  expect(code).toBe(3)
})

test('an edited module of flows is served without a restart, a broken edit changes nothing', async () => {
  const file = join(cwd, 'flows.ts')
  const text = (name: string) => `
    import { defineFlow } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)}
    import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
    export const flow = defineFlow({ name: '${name}', summary: 'A flow', inputs: z.object({}), run: () => '${name}' })`
  writeFileSync(file, text('one'))
  const server = start(['start', '--flows', 'flows.ts'])
  await server.ready()
  expect((await koco(['run', 'one', '--follow'])).code).toBe(0)
  writeFileSync(file, 'const = 3')
  while (!server.texts.err.includes('The flows stay as they were')) await sleep(20)
  expect((await koco(['run', 'one', '--follow'])).code).toBe(0)
  writeFileSync(file, text('two'))
  while ((await koco(['run', 'two', '--follow'])).code !== 0) await sleep(20)
})
