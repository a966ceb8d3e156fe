// Goal: people keep panels under names, sign in with a password, a key or nothing, and no key ever goes to a panel that it is not for. Method: whole installations in this process, with and without sign-in, and the
// real command line with a fake terminal and a home of its own.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { defineFlow } from '@koco/flow'
import { newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { firstAdmin } from '../compose/sign-in.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const PASSWORD = 'a-password-for-tests'
const flow = defineFlow({ name: 'one', summary: 'Gives one', inputs: z.object({}), run: () => 1 })

let cwd: string
let home: string
let panel: Awaited<ReturnType<typeof openPanel>>
const opened: Installation[] = []
const folders: string[] = []
beforeAll(async () => {
  cwd = folder('cli-profiles')
  panel = await openPanel({})
})
beforeEach(() => (home = folder('cli-home')))
afterAll(async () => {
  for (const one of opened) await one.close(1000)
  for (const one of folders) rmSync(one, { recursive: true, force: true })
})

function folder(name: string): string {
  const path = newFolder(name)
  folders.push(path)
  return path
}

async function openPanel(env: Record<string, string>) {
  const dir = folder('cli-panel')
  const all = { KODO_APP_SERVER: 'http://127.0.0.1:0', KODO_LOG_LEVEL: 'silent', KODO_ADMIN_PASSWORD: PASSWORD, ...env }
  const settings = readSettings({ env: all, flags: {}, cwd: dir })
  const koco = await openInstallation(settings, { cwd: dir, log: pino({ level: 'silent' }), version: 'test', flows: [flow], whole: true, webDir: null })
  opened.push(koco)
  await firstAdmin(settings, koco.admin)
  return { koco, url: (await koco.panel.listen({ host: '127.0.0.1', port: 0 })).url }
}

type Person = { readonly env?: Record<string, string>; readonly stdin?: string; readonly types?: string[] }

async function koco(argv: string[], { env = {}, stdin = '', types }: Person = {}) {
  const io = fakeIo(cwd, { HOME: home, ...env }, stdin)
  if (types) io.answers = types
  const code = await runCommand(argv, io)
  return { code, out: io.printed.join('\n'), err: io.complaints.join('\n'), asked: io.asked }
}

const file = (): string => join(home, '.config/koco/profiles.json')

test('a person signs in with a password that is not shown, and commands go there from now on', async () => {
  const login = await koco(['login', panel.url, '--name', 'work'], { types: ['admin', PASSWORD] })
  expect(login).toMatchObject({ code: 0, err: '' })
  expect(login.asked.at(-1)).toBe('Password of admin: (hidden)')
  expect(login.out).not.toContain('koco_')
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(readFileSync(file(), 'utf8')).not.toContain(PASSWORD)
  const run = await koco(['run', 'one', '--follow'])
  expect(run).toMatchObject({ code: 0 })
  expect((await koco(['runs', 'list', '-o', 'ids'])).out).toContain(/[0-9a-f]{24}/.exec(run.err)?.[0])
  expect((await koco(['profiles', 'list', '-o', 'json'])).out).not.toContain('koco_')
})

test('logout revokes the key that login had made, and the settings count again', async () => {
  await koco(['login', panel.url, '--name', 'work', '--user', 'admin'], { stdin: `${PASSWORD}\n` })
  const { profiles } = JSON.parse(readFileSync(file(), 'utf8')) as { profiles: { work: { key: string } } }
  const me = async () => (await fetch(`${panel.url}/api/auth/me`, { headers: { authorization: `Bearer ${profiles.work.key}` } })).status
  expect(await me()).toBe(200)
  expect(JSON.parse((await koco(['logout', '-o', 'json'])).out)).toEqual({ profile: 'work', address: panel.url, revoked: true })
  expect(await me()).toBe(401)
  expect((await koco(['profiles', 'list', '-o', 'ids'])).out).toBe('local')
  expect(await koco(['logout'])).toMatchObject({ code: 2 })
})

test('a key is taken from standard input, one that is wrong is refused and nothing is kept', async () => {
  const made = JSON.parse((await koco(['keys', 'create', 'ci', '-o', 'json'], { env: await adminKey() })).out) as { id: string; key: string }
  expect(await koco(['login', panel.url], { stdin: `${made.key.slice(0, -1)}x` })).toMatchObject({ code: 4 })
  expect(existsSync(file())).toBe(false)
  expect(await koco(['login', panel.url], { stdin: `${made.key}\n` })).toMatchObject({ code: 0 })
  expect((await koco(['keys', 'list', '-o', 'ids'])).out.split('\n')).toContain(made.id)
  // A key of somebody's own is theirs to revoke.
  await koco(['logout'])
  expect((await koco(['keys', 'list', '-o', 'ids'], { env: { KODO_APP_SERVER: panel.url, KODO_API_KEY: made.key } })).code).toBe(0)
  expect(await koco(['login', panel.url, '--user', 'admin'], { stdin: 'wrong' })).toMatchObject({ code: 4, err: 'Name or password is wrong.' })
})

test('a panel without sign-in is not asked a key for', async () => {
  const open = await openPanel({ KODO_AUTH: 'off' })
  expect(await koco(['login', open.url, '--name', 'open'])).toMatchObject({ code: 0 })
  expect((await koco(['runs', 'list'])).out).toContain('No runs')
})

test('address and key come from one place: the flag, the profile it names, the environment, the profile in use', async () => {
  const seen: IncomingHttpHeaders[] = []
  const other = createServer((request, response) => {
    seen.push(request.headers)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"items": [], "next": null}')
  }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  const otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  try {
    await koco(['login', panel.url, '--name', 'work', '--user', 'admin'], { stdin: PASSWORD })
    await koco(['runs', 'list'], { env: { KODO_APP_SERVER: otherUrl } })
    await koco(['runs', 'list', '--address', otherUrl])
    await koco(['runs', 'list', '--profile', 'local', '--address', otherUrl])
    expect(seen.map(({ authorization }) => authorization)).toEqual([undefined, undefined, undefined])
    const both = { KODO_APP_SERVER: otherUrl, KODO_API_KEY: 'koco_for_the_other' }
    expect(await koco(['runs', 'list', '--profile', 'work'], { env: both })).toMatchObject({ code: 0 })
    expect(await koco(['runs', 'list'], { env: { ...both, KODO_PROFILE: 'work' } })).toMatchObject({ code: 0 })
    expect(seen).toHaveLength(3)
    await koco(['runs', 'list'], { env: both })
    expect(seen.at(-1)?.authorization).toBe('Bearer koco_for_the_other')
    expect(await koco(['runs', 'list', '--profile', 'work', '--address', otherUrl])).toMatchObject({ code: 2 })
    expect(await koco(['runs', 'list', '--profile', 'wrok'])).toMatchObject({ code: 2, err: expect.stringContaining('no profile "wrok"') as unknown })
  } finally {
    other.close()
  }
})

test('a run goes to the profile in use or nowhere: it is not made here instead', async () => {
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const address = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`
  gone.close()
  await koco(['login', panel.url, '--name', 'work', '--user', 'admin'], { stdin: PASSWORD })
  writeFileSync(file(), readFileSync(file(), 'utf8').replace(panel.url, address))
  const run = await koco(['run', 'one'])
  expect(run).toMatchObject({ code: 3 })
  expect(run.err).toContain('the panel of the profile work')
  expect(await koco(['logout'])).toMatchObject({ code: 3, err: expect.stringContaining('koco keys revoke') as unknown })
  expect((await koco(['profiles', 'list', '-o', 'ids'])).out).toBe('local')
})

test('profiles are switched, and a file that is none is refused with the remedy', async () => {
  await koco(['login', panel.url, '--name', 'work', '--user', 'admin'], { stdin: PASSWORD })
  expect((await koco(['profiles', 'use', 'local'])).code).toBe(0)
  expect((await koco(['profiles', 'list'])).out).toMatch(/^\* +local/m)
  expect((await koco(['profiles', 'use', 'work'])).code).toBe(0)
  expect((await koco(['profiles', 'list'])).out).toMatch(/^\* +work .*admin$/m)
  expect((await koco(['login', panel.url, '--name', 'local'])).code).toBe(2)
  writeFileSync(file(), '{')
  expect(await koco(['runs', 'list'])).toMatchObject({ code: 2, err: expect.stringContaining('koco login') as unknown })
})

async function adminKey(): Promise<Record<string, string>> {
  const answer = await fetch(`${panel.url}/api/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ grant_type: 'password', login: 'admin', password: PASSWORD }),
  })
  const { access_token: key } = (await answer.json()) as { access_token: string }
  return { KODO_APP_SERVER: panel.url, KODO_API_KEY: key }
}
