// Goal: programs can drive every command: what prints data prints JSON, and a mistake is one JSON object with a code. Method: the real command line, all commands of it, and those that fail in each way.
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { freePort, newFolder } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCommand } from '../main.ts'
import { createProgram } from '../program.ts'
import { fakeIo } from './fake-io.ts'

const FLOWS = fileURLToPath(new URL('../../fixtures/flows.ts', import.meta.url))
/** They print no data, a script, or a run whose form --format says. */
const NO_DATA = new Set(['init', 'start', 'serve', 'mcp', 'completion', 'runs export'])

let cwd: string
let env: Record<string, string>
beforeEach(async () => {
  cwd = newFolder('cli-forms')
  env = { KODO_APP_SERVER: `http://127.0.0.1:${await freePort()}`, KODO_FLOWS: FLOWS, KODO_LOG_LEVEL: 'silent', KODO_ADMIN_PASSWORD: 'a-password-for-tests' }
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

async function koco(...argv: string[]) {
  const io = fakeIo(cwd, env)
  const code = await runCommand(argv, io)
  return { code, out: io.printed.join('\n'), err: io.complaints }
}

function leaves(command: Command, path: string): [string, Command][] {
  return command.commands.length === 0 ? [[path, command]] : command.commands.flatMap((one) => leaves(one, `${path} ${one.name()}`))
}

test('every command that prints data takes -o', async () => {
  const program = await createProgram([], fakeIo(cwd), () => undefined)
  const all = program.commands.flatMap((command) => leaves(command, command.name()))
  expect(all.length).toBeGreaterThan(50)
  const without = all.filter(([, command]) => !command.options.some(({ short }) => short === '-o')).map(([path]) => path)
  expect(new Set(without)).toEqual(NO_DATA)
})

test.each([
  [['frobnicate', '-o', 'json'], 'usage', 2],
  [['runs', 'list', '--frobnicate', '-o', 'json'], 'usage', 2],
  [['runs', 'get', '--output=json'], 'usage', 2],
  [['runs', '-ojson'], 'usage', 2],
  [['runs', 'list', '--limit', 'x', '-o', 'json'], 'usage', 2],
  [['runs', 'list', '--upload-run-max', 'x', '-o', 'json'], 'usage', 2],
  [['run', 'add', '-o', 'json', '--upload-run-max', 'x'], 'bad_settings', 2],
  [['runs', 'list', '-o', 'json'], 'no_panel', 3],
  [['restore', 'nowhere', '-o', 'json'], 'no_backup', 4],
  [['run', 'fail', '--follow', '-o', 'json'], 'run_error', 1],
])('%j fails with %s', async (argv, expected, exit) => {
  const { code, err } = await koco(...argv)
  const told = JSON.parse(err.at(-1) ?? '') as { error: { code: string; message: string; exit_code: number } }
  expect(told).toEqual({ error: expect.objectContaining({ code: expected, exit_code: exit, message: expect.stringMatching(/\w{3}/) as unknown }) as unknown })
  expect(err.at(-1)).not.toContain('\n')
  expect(code).toBe(exit)
})

test('fields that do not fit are named one by one', async () => {
  const { err } = await koco('run', 'add', '-i', 'a=1', '-o', 'json')
  expect(JSON.parse(err.at(-1) ?? '')).toMatchObject({ error: { details: [{ path: expect.stringContaining('b') as unknown }] } })
})

test('what is done without a list is told in JSON too', async () => {
  expect(JSON.parse((await koco('db', '--create-tables', '-o', 'json')).out)).toMatchObject([{ store: 'execution' }, { store: 'admin' }])
  expect(JSON.parse((await koco('doctor', '-o', 'json')).out)).toContainEqual(expect.objectContaining({ what: 'node', state: 'well' }))
  expect(JSON.parse((await koco('rebuild', '-o', 'json')).out)).toMatchObject({ runs: 0, deviations: [] })
  expect(JSON.parse((await koco('backup', 'copy', '-o', 'json')).out)).toMatchObject({ runs: 0 })
  expect(JSON.parse((await koco('backup', 'copy', '--check', '-o', 'json')).out)).toMatchObject({ runs: 0 })
})
