// Goal: checkpoints are made, found, restored, compared, merged and carried by the command line, and its exit code tells conflicts and damage. Method: a whole installation in this process, without sign-in, and the
// real command line beside it, with a fake terminal.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const SESSION = '0123456789ab'
let cwd: string
let env: Record<string, string>
let koco: Installation
beforeAll(async () => {
  cwd = newFolder('cli-checkpoints')
  const port = await freePort()
  env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_AUTH: 'off', KODO_LOG_LEVEL: 'silent' }
  const settings = readSettings({ env, flags: {}, cwd })
  koco = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [], whole: true, webDir: null })
  await koco.panel.listen({ host: '127.0.0.1', port })
  await koco.store.sessions.create({ id: SESSION, user: 'admin', at: 1, title: 'Talk', messages: [{ id: 'm1', role: 'user', content: 'hi' }] })
  mkdirSync(room(SESSION), { recursive: true })
  writeFileSync(join(room(SESSION), 'poem.txt'), 'one\ntwo\nthree\n')
})
afterAll(async () => {
  await koco.close(1000)
  rmSync(cwd, { recursive: true, force: true })
})

const room = (session: string): string => join(cwd, 'data/workspaces/admin', session)

async function run(...argv: string[]) {
  const io = fakeIo(cwd, env, '')
  const code = await runCommand(['checkpoints', ...argv], io)
  return { code, out: io.printed.join('\n'), err: io.complaints.join('\n') }
}

async function ids(...argv: string[]): Promise<string> {
  const { code, out, err } = await run(...argv, '-o', 'ids')
  expect([err, code]).toEqual(['', 0])
  return out
}

test('a checkpoint is made, shown, found, locked, and restored to a new session', async () => {
  const made = await ids('create', SESSION, '--description', 'First', '--tag', 'a', 'b', '--metadata', '{"n":1}')
  expect((await run('get', made)).out).toMatch(/First[\s\S]*poem\.txt/)
  expect(await ids('list', '--session', SESSION, '--tag', 'b', '-q', 'first', '--metadata', '{"n":1}')).toBe(made)
  expect((await run('lock', made, '--reason', 'kept')).out).toBe(made)
  const refused = await run('delete', made)
  expect([refused.code, refused.err]).toEqual([4, expect.stringContaining('locked')])
  await run('unlock', made)
  const plan = JSON.parse((await run('restore', made, '--dry-run', '-o', 'json')).out) as object
  expect(plan).toMatchObject({ files: { unchanged: 1 } })
  const session = await ids('restore', made)
  expect(readFileSync(join(room(session), 'poem.txt'), 'utf8')).toBe('one\ntwo\nthree\n')
  expect((await run('delete', made)).out).toBe(made)
})

test('branches are drawn, compared and merged; conflicts end with 1', async () => {
  const base = await ids('create', SESSION)
  const other = await ids('restore', base)
  writeFileSync(join(room(SESSION), 'poem.txt'), 'one\nleft\nthree\n')
  writeFileSync(join(room(other), 'poem.txt'), 'one\nright\nthree\n')
  const [ours, theirs] = [await ids('create', SESSION, '--parent', base), await ids('create', other, '--parent', base)]
  const drawn = (await run('tree', SESSION)).out
  expect(drawn).toMatch(new RegExp(`○ ${base}.*\\n {2}● ${ours}.*\\n {2}● ${theirs}`))
  expect((await run('compare', ours, theirs)).out).toContain('-left\n+right')
  const conflicts = await run('merge', ours, theirs, '-o', 'json')
  expect([conflicts.code, (JSON.parse(conflicts.out) as { files: unknown[] }).files]).toEqual([1, [expect.objectContaining({ path: 'poem.txt' })]])
  writeFileSync(join(cwd, 'resolution.json'), JSON.stringify({ files: { 'poem.txt': { content: 'both\n' } } }))
  const merged = await ids('merge', ours, theirs, '--resolution', 'resolution.json')
  expect(readFileSync(join(room(merged), 'poem.txt'), 'utf8')).toBe('both\n')
})

test('an archive is written and read back', async () => {
  const made = await ids('create', SESSION, '--description', 'to carry')
  expect((await run('export', made, 'carried.tar.gz')).out).toBe('carried.tar.gz')
  await run('delete', made)
  expect((await run('import', 'carried.tar.gz')).out).toBe(made)
  writeFileSync(join(cwd, 'broken.tar.gz'), 'no archive')
  expect(await run('import', 'broken.tar.gz')).toMatchObject({ code: 4, err: expect.stringContaining('not an archive') })
  expect(await run('import', 'nowhere.tar.gz')).toMatchObject({ code: 2 })
  expect(readdirSync(cwd).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('by the clock: begun, told, ended', async () => {
  const told = async (...argv: string[]) => JSON.parse((await run('auto', SESSION, ...argv, '-o', 'json')).out) as object
  expect(await told()).toEqual({ session_id: SESSION, enabled: false, interval_s: null })
  expect(await told('--every', '600')).toEqual({ session_id: SESSION, enabled: true, interval_s: 600 })
  expect(await told()).toEqual({ session_id: SESSION, enabled: true, interval_s: 600 })
  expect(await told('--off')).toEqual({ session_id: SESSION, enabled: false, interval_s: null })
  expect((await run('auto', SESSION, '--off', '--every', '5')).code).toBe(2)
})

test('damage ends with 1 until it is repaired', async () => {
  const made = await ids('create', SESSION)
  writeFileSync(join(cwd, 'data/checkpoints', `${made}.json`), '{')
  expect(await run('validate', made)).toMatchObject({ code: 1, out: expect.stringContaining('damaged') })
  expect(await run('repair')).toMatchObject({ code: 0, out: expect.stringContaining(made) })
  expect(await run('validate', '--deep')).toMatchObject({ code: 0 })
  expect(await run('gc', '--grace', '3600')).toMatchObject({ code: 0, out: expect.stringContaining('removed') })
})

test.each([[['create', SESSION, '--metadata', 'no json']], [['create', SESSION, '--compression-level', '11']], [['merge', 'a', 'b', '--strategy', 'guess']]])(
  '%j is a usage error',
  async (argv) => {
    expect((await run(...argv)).code).toBe(2)
  },
)
