// Goal: a program runs in its workspace, its lines become events, it is held to each limit, and nothing of it is left when it ends, is stopped or leaves its group. Method: a small real agent of our own as the
// program, run by the test runner or beneath it; whether a process lives is asked of the system.
import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newFolder } from '@koco/testing'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { defineChatFlow } from '../chat/define.ts'
import { defineFlow } from '../flow.ts'
import { runFlow, type TestRun } from '../testing/index.ts'
import type { ProcessLimits, ProcessOptions } from './port.ts'
import { runProcess } from './run-process.ts'

const AGENT = fileURLToPath(new URL('tiny-agent.ts', import.meta.url))
const agent = (...args: string[]): ProcessOptions['command'] => [process.execPath, AGENT, ...args]
const dir = newFolder('process')
afterAll(() => rm(dir, { recursive: true, force: true }))

const program = (options: ProcessOptions) =>
  runFlow(
    defineFlow({ name: 'program', summary: 'Runs a program', inputs: z.object({}), run: (_inputs, ctx) => ctx.process('agent', options) }),
    {},
    { workspaceDir: dir },
  )
const ofKind = (run: TestRun, kind: string): unknown[] => run.events.flatMap((event) => (event.kind === kind ? [event.data] : []))
const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('its lines become events, its end the result of a step', async () => {
  const run = await program({ command: agent('answer'), stdin: 'Hi', session: '0123456789ab' })
  expect(run.final?.value).toMatchObject({ code: 0, signal: null, lines: 6, stderr: 'a warning\n' })
  expect(ofKind(run, 'action')).toHaveLength(6)
  expect(ofKind(run, 'action')[0]).toEqual({ name: 'process', value: { type: 'system', subtype: 'init', model: 'tiny-cli' } })
  expect(ofKind(run, 'stdout')).toEqual([{ text: 'a plain line' }])
  expect(ofKind(run, 'stderr')).toEqual([{ text: 'a warning' }])
  expect(await readFile(join(dir, 'tester/0123456789ab/notes.txt'), 'utf8')).toBe('Hi')
})

test('no shell reads its arguments, and nothing of our environment reaches it', async () => {
  const args = ['$HOME', '; touch pwned', '`id`', '*', 'a \'b\' "c"', '--']
  vi.stubEnv('KODO_SECRET_KEY', 'secret')
  const run = await program({ command: agent('show', ...args), env: { GIVEN: '1' } })
  vi.unstubAllEnvs()
  const [shown] = ofKind(run, 'action') as [{ value: { args: string[]; cwd: string; home: string; env: string[] } }]
  const { args: got, cwd, home, env } = shown.value
  expect(got).toEqual(args)
  expect(cwd).toMatch(new RegExp(`^${dir}/tester/[0-9a-f]{12}$`))
  expect(home).toBe(cwd)
  expect(env).toEqual(['GIVEN', 'HOME', 'KOCO_PROCESS', 'KOCO_RUN', 'KOCO_TRY', 'LANG', 'PATH', 'TERM'])
})

test('a program that ends badly says so by its code; one that is not there is refused', async () => {
  expect((await program({ command: agent('fail') })).final?.value).toMatchObject({ code: 3, stderr: 'cannot\n', lines: 0 })
  expect((await program({ command: ['no-such-program'] })).error).toMatchObject({ message: expect.stringContaining('There is no program "no-such-program"') })
})

test('programs of one run work side by side', async () => {
  const both = defineFlow({
    name: 'both',
    summary: 'Runs two programs',
    inputs: z.object({}),
    run: async (_inputs, ctx) => {
      const ends = await Promise.all([1, 2].map((key) => ctx.process('agent', { key, command: agent('answer'), stdin: `${key}` })))
      return ends.map(({ code }) => code)
    },
  })
  expect((await runFlow(both, {}, { workspaceDir: dir })).final?.value).toEqual([0, 0])
})

describe('limits', () => {
  test.each([
    ['memory', { memoryBytes: 150 * 2 ** 20 }],
    ['cpu', { cpuS: 1 }],
    ['output', { outputBytes: 100_000 }],
    ['disk', { diskBytes: 2 * 2 ** 20 }],
  ] as const)('of %s', async (mode, limits: Partial<ProcessLimits>) => {
    const run = await program({ command: agent(mode), limits, session: mode.padStart(12, '0').replace(/[^0-9a-f]/g, '0') })
    expect(run.status).toBe('error')
    expect(run.error?.message).toMatch(/The program .*, and was ended\./)
    expect(run.error?.message).toContain(`limits.${mode === 'memory' ? 'memoryBytes' : Object.keys(limits)[0]}`)
  })

  test('of time', async () => {
    const run = await program({ command: agent('sleep'), limits: { wallMs: 300 } })
    expect(run.error?.message).toContain('has run for 300 ms')
  })

  test('of one file, by the system itself', async () => {
    const run = await program({ command: agent('file'), limits: { diskBytes: 2 ** 20 }, session: '00000000f11e' })
    expect(run.final?.value).toMatchObject({ code: 1, stderr: expect.stringContaining('EFBIG') })
    expect((await readFile(join(dir, 'tester/00000000f11e/big'))).byteLength).toBeLessThanOrEqual(2 ** 20)
  })
})

describe('when it is stopped', () => {
  const place = (run: string) => ({
    folder: dir,
    run,
    attempt: 'test/2',
    path: process.env['PATH'] ?? '',
    limits: { memoryBytes: 2 ** 30, cpuS: 60, wallMs: 60_000, outputBytes: 2 ** 20, diskBytes: 2 ** 30 },
    diskUse: async () => 0,
  })

  test.each([
    ['it ends at SIGTERM, with what left its group', [], 4_000],
    ['one that is deaf is killed five seconds later', ['deaf'], 15_000],
  ])('%s', { timeout: 60_000 }, async (_what, args, patience) => {
    const stop = new AbortController()
    const pids: number[] = []
    const lines: string[] = []
    const stdout = (line: string): void => {
      lines.push(line)
      const { pids: told } = JSON.parse(line) as { pids?: number[] }
      if (told) {
        pids.push(...told)
        stop.abort(new Error('stopped'))
      }
    }
    await expect(runProcess({ command: agent('hang', ...args) }, place('a'.repeat(24)), { stdout, stderr: () => undefined }, stop.signal)).rejects.toThrow(
      'stopped',
    )
    expect(pids).toHaveLength(2)
    await vi.waitUntil(() => !pids.some(lives), { timeout: patience, interval: 20 })
  })

  test('what a killed koco left of the run is killed before the next try', async () => {
    const run = 'b'.repeat(24)
    const left = spawn(process.execPath, [AGENT, 'sleep'], { env: { ...process.env, KOCO_RUN: run, KOCO_TRY: 'test/1' }, detached: true, stdio: 'ignore' })
    const gone = new Promise((resolve) => left.once('exit', resolve))
    await runProcess({ command: agent('fail') }, place(run), { stdout: () => undefined, stderr: () => undefined }, new AbortController().signal)
    await gone
    expect(left.signalCode).toBe('SIGKILL')
  })
})

test('a command-line agent answers a turn: its messages, calls and costs become the talk', async () => {
  const chat = defineChatFlow({ name: 'cli', summary: 'Answers by a program', command: () => ({ command: agent('answer') }) })
  const run = await runFlow(chat, { session_id: '0123456789ab', revision: 1 }, { messages: [{ role: 'user', content: 'Hello' }], workspaceDir: dir })
  expect(run.error).toBeNull()
  expect(run.final).toEqual({ type: 'markdown', value: 'You said Hello' })
  expect(run.deltas.map(({ text }) => text).join('')).toBe('You said ')
  const said = (ofKind(run, 'action') as { name: string; value: unknown }[]).filter(({ name }) => name === 'chat.message').map(({ value }) => value)
  expect(said).toMatchObject([
    { role: 'assistant', content: 'I look.', model: 'tiny-cli', tool_calls: [{ id: 't1', function: { name: 'Read', arguments: '{"path":"notes.txt"}' } }] },
    { role: 'tool', tool_call_id: 't1', content: 'nothing there' },
    { role: 'assistant', content: 'You said Hello' },
  ])
  expect(ofKind(run, 'model')).toMatchObject([
    { provider: 'command', model: 'tiny-cli', cost: 0.25, tokens: { input_uncached: 10, cache_read: 5, cache_write: 2, output: 7 } },
  ])
  const failed = defineChatFlow({ name: 'cli', summary: 'Fails', command: () => ({ command: agent('fail') }) })
  const failure = await runFlow(failed, { session_id: '0123456789ab', revision: 1 }, { messages: [{ role: 'user', content: 'x' }], workspaceDir: dir })
  expect(failure.error?.message).toBe("The agent's program ended with code 3: cannot")
})
