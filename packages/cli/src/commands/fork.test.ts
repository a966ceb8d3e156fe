// Goal: the command line plans a fork, starts it, and lays it beside its original. Method: an installation in this process, a run of two steps, and the real command line with a fake terminal.
import { rmSync } from 'node:fs'
import { defineFlow } from '@koco/flow'
import { freePort, newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const steps = defineFlow({
  name: 'steps',
  summary: 'Two steps',
  inputs: z.object({ n: z.number() }),
  async run({ n }, ctx) {
    const one = await ctx.step('one', () => n)
    return { one, two: await ctx.step('two', () => one * 2) }
  },
})

let cwd: string
let env: Record<string, string>
let koco: Installation
beforeAll(async () => {
  cwd = newFolder('cli-fork')
  const port = await freePort()
  env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_AUTH: 'off', KODO_LOG_LEVEL: 'silent' }
  const settings = readSettings({ env, flags: {}, cwd })
  koco = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [steps], whole: true, webDir: null })
  await koco.panel.listen({ host: '127.0.0.1', port })
})
afterAll(async () => {
  await koco.close(1000)
  rmSync(cwd, { recursive: true, force: true })
})

async function run(...argv: string[]) {
  const io = fakeIo(cwd, env, '')
  const code = await runCommand(argv, io)
  return { code, out: io.printed.join('\n'), err: io.complaints.join('\n') }
}

const ended = (fid: string) => vi.waitUntil(async () => (await koco.store.runs.get(fid))?.status === 'finished', { timeout: 25_000 })

test('a fork is planned, started with another result, and compared', async () => {
  const { fid } = await koco.launcher.start({ flow: 'steps', inputs: { n: 1 }, user: 'admin', idempotencyKey: null })
  await ended(fid)
  const events = await run('runs', 'events', fid, '--kind', 'step', '-o', 'json')
  const finished = events.out.split('\n').map((line) => JSON.parse(line) as { position: string; data: { phase: string } })
  const at = finished.find(({ data }) => data.phase === 'finished')?.position ?? ''
  const plan = await run('runs', 'fork', fid, '--at', at, '--plan')
  expect(plan).toMatchObject({ code: 0, err: '' })
  expect(plan.out).toMatch(/taken over {2}one\n.*done again {2}two \(later; its idempotency key was [0-9a-f]{32}/)
  const forked = await run('runs', 'fork', fid, '--at', at, '--result', 'one=7')
  expect(forked).toMatchObject({ code: 0, err: '' })
  await ended(forked.out)
  expect((await koco.store.runs.get(forked.out))?.final).toMatchObject({ value: { one: 7, two: 14 } })
  const compared = await run('runs', 'compare', fid, forked.out)
  expect(compared).toMatchObject({ code: 0, err: '' })
  expect(compared.out).toContain('inputs: equal')
  expect(compared.out).toMatch(/- {3}"one": 1,\n.*\n.*\+ {3}"one": 7,/)
  expect((await run('runs', 'compare', fid, forked.out, '-o', 'ids')).out).toBe('one\ntwo')
})

test('what is no JSON and no position is refused', async () => {
  expect(await run('runs', 'fork', '0'.repeat(24), '--inputs', '{')).toMatchObject({ code: 2, err: expect.stringContaining('--inputs takes JSON') })
  expect(await run('runs', 'fork', '0'.repeat(24), '--result', 'one')).toMatchObject({ code: 2 })
  expect(await run('runs', 'fork', '0'.repeat(24))).toMatchObject({ code: 4, err: expect.stringContaining('There is no run') })
})
