// Goal: the servers of tests start, keep or lose data as asked, and leave nothing behind, also when their starter is killed with -9.
// Method: start each one, talk to it, kill it; start one from a child process that is killed, and watch its process and folder go.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { startPostgres } from './postgres.ts'
import { newFolder } from './process.ts'
import { startRedis } from './redis.ts'

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return
    await delay(20)
  }
  throw new Error(`gave up waiting until ${what}`)
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a Redis with an append-only file has its data after a kill, and none after a wipe', async () => {
  await using server = await startRedis({ config: { appendonly: 'yes', appendfsync: 'always' } })
  const redis = new Redis(server.url)
  redis.on('error', () => undefined)
  await redis.set('key', 'value')
  await server.restart()
  expect(await redis.get('key')).toBe('value')
  await server.restart({ wipe: true })
  expect(await redis.get('key')).toBeNull()
  redis.disconnect()
})

test('a server that cannot start says why', async () => {
  await expect(startRedis({ config: { 'no-such-setting': '1' } })).rejects.toThrow(/Redis ended with 1[^]*Bad directive/)
})

test('a Postgres keeps what was committed over a kill, and gives databases of their own', async () => {
  await using server = await startPostgres()
  await using database = await server.createDatabase()
  await query(database.url, 'create table t as select 1 as n')
  await server.restart()
  expect(await query(database.url, 'select n from t')).toEqual([{ n: 1 }])
})

test('a paused Postgres answers nobody, not even those who are connected already, and goes on where it was', async () => {
  await using server = await startPostgres()
  const client = new Client({ connectionString: server.url })
  await client.connect()
  server.pause()
  const answer = client.query('select 1 as n').then(() => 'answered')
  expect(await Promise.race([answer, delay(500, 'silent')])).toBe('silent')
  server.resume()
  expect(await answer).toBe('answered')
  await client.end()
})

test('a killed starter leaves neither process nor folder', async () => {
  const folder = newFolder('starter')
  const program = `
    const { startRedis } = await import(${JSON.stringify(new URL('redis.ts', import.meta.url).href)})
    const server = await startRedis()
    console.log(server.pid)
    setInterval(() => undefined, 1000)`
  const env = { ...process.env, TMPDIR: folder }
  const starter = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'], env })
  const [line] = (await once(starter.stdout, 'data')) as [Buffer]
  const pid = Number(line)
  expect(lives(pid)).toBe(true)
  expect(readdirSync(folder)).toHaveLength(1)
  starter.kill('SIGKILL')
  await until('the server is gone', () => !lives(pid))
  await until('its folder is gone', () => readdirSync(folder).length === 0)
  rmSync(folder, { recursive: true })
})

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
