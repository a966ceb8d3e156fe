// Goal: commands do their work and end with the right code and one sentence, embedded and without any server. Method: the real command line in this process, with a fake terminal and throw-away folders.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, newFolder } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCommand } from './main.ts'
import { fakeIo } from './output/fake-io.ts'

const FLOWS = fileURLToPath(new URL('../fixtures/flows.ts', import.meta.url))
let cwd: string
let env: Record<string, string>
beforeEach(async () => {
  cwd = newFolder('cli')
  env = { KODO_APP_SERVER: `http://127.0.0.1:${await freePort()}`, KODO_FLOWS: FLOWS, KODO_LOG_LEVEL: 'silent', KODO_ADMIN_PASSWORD: 'a-password-for-tests' }
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

async function koco(argv: string[], change: Record<string, string> = {}, stdin = '') {
  const io = fakeIo(cwd, { ...env, ...change }, stdin)
  const code = await runCommand(argv, io)
  return { code, out: io.printed.join('\n'), err: io.complaints.join('\n') }
}

test('run with no koco anywhere runs the flow in this process and prints its result', async () => {
  const { code, out, err } = await koco(['run', 'add', '-i', 'a=1', '-i', 'b=2'])
  expect(err).toMatch(/^run [0-9a-f]{24}$/)
  expect(out).toMatch(/result\n3\n/)
  expect(out).toContain('adding')
  expect(out).toMatch(/finished$/)
  expect(code).toBe(0)
})

test('inputs may come whole from standard input, and events be printed as JSON', async () => {
  const { code, out } = await koco(['run', 'add', '--inputs', '-', '-o', 'json'], {}, '{"a": 20, "b": 22}')
  const events = out.split('\n').map((line) => JSON.parse(line) as { kind: string; data: { value?: unknown } })
  expect(events.find(({ kind }) => kind === 'final')?.data.value).toBe(42)
  expect(code).toBe(0)
})

test('files are sent with the inputs, wherever they stand', async () => {
  writeFileSync(join(cwd, 'a.csv'), 'x'.repeat(9_000_000))
  writeFileSync(join(cwd, 'b.txt'), 'bb')
  const flows = fileURLToPath(new URL('../fixtures/file-flows.ts', import.meta.url))
  const { code, out } = await koco(['run', 'read', '--flows', flows, '-i', 'doc=@a.csv', '-i', 'more:=["@b.txt"]', '-i', 'title=@a.csv', '-o', 'json'])
  const finals = out.split('\n').map((line) => JSON.parse(line) as { kind: string; data: { value?: unknown } })
  expect(finals.find(({ kind }) => kind === 'final')?.data.value).toEqual({ title: '@a.csv', paths: ['in/a.csv', 'in/b.txt'], sizes: [9_000_000, 2] })
  expect(code).toBe(0)
  expect(await koco(['run', 'read', '--flows', flows, '-i', 'doc=@none'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('cannot be read (ENOENT)') as unknown,
  })
})

test('a run that fails gives exit code 1 and says why', async () => {
  const { code, err } = await koco(['run', 'fail'])
  expect(err).toContain('failed: the flow is broken')
  expect(code).toBe(1)
})

test('inputs that do not fit are refused field by field', async () => {
  const { code, err } = await koco(['run', 'add', '-i', 'a=1'])
  expect(err).toMatch(/\n {2}\/?b: /)
  expect(code).toBe(4)
})

test.each([
  [['frobnicate'], 2, "unknown command 'frobnicate'"],
  [['runs', 'list', '--limit', 'x'], 2, '--limit takes a whole number'],
  [['runs', 'list'], 3, 'start one with `koco start`'],
  [['run', 'nothing'], 4, 'nothing'],
  [['run', 'add', '-i', 'a'], 2, 'write name=value'],
  [['run', 'add', '--flows', 'nothing.ts'], 2, 'no module of flows at'],
  [['spool', '--block'], 2, 'KODO_EVENT_TRANSPORT=redis'],
  [['serve'], 2, 'KODO_EVENT_TRANSPORT=redis'],
  [['run', 'add', '--redis-url', 'redis://127.0.0.1:1', '--event-transport', 'redis'], 3, 'No koco answers'],
])('%j ends with %i and a sentence', async (argv, expected, sentence) => {
  const { code, err } = await koco(argv)
  expect(err).toContain(sentence)
  expect(err).not.toMatch(/\n {4}at /)
  expect(code).toBe(expected)
})

test('a data folder that is a file is refused with the remedy', async () => {
  writeFileSync(join(cwd, 'taken'), '')
  const { code, err } = await koco(['run', 'add'], { KODO_EXEC_DIR: './taken' })
  expect(err).toContain(join(cwd, 'taken'))
  expect(err.split('\n')).toHaveLength(1)
  expect(code).toBe(4)
})

test('the doctor says what is well and what to do about the rest', async () => {
  const well = await koco(['doctor'])
  expect(well.out).toContain('the first start makes it')
  expect(well.code).toBe(0)
  writeFileSync(join(cwd, 'taken'), '')
  const ill = await koco(['doctor'], { KODO_UPLOAD_DIR: './taken' })
  expect(ill.out).toMatch(/^FAIL {2}uploads folder: /m)
  expect(ill.code).toBe(1)
})

test('init writes a flow and a test, keeps what package.json has, and never overwrites', async () => {
  writeFileSync(join(cwd, 'package.json'), '{"name": "mine", "scripts": {"test": "vitest"}}')
  expect((await koco(['init'])).code).toBe(0)
  const again = await koco(['init'])
  expect(again.err).toContain('nothing was written')
  expect(again.code).toBe(2)
})

test('db shows versions and makes tables', async () => {
  expect((await koco(['db'])).code).toBe(4)
  expect((await koco(['db', '--create-tables'])).out).toMatch(/^execution: .*\nadmin: done/)
  expect((await koco(['migrate'])).out).toContain('nothing to do')
  expect((await koco(['db'])).code).toBe(0)
})
