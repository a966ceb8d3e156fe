// Goal: the command line lists runs by what they are about and why they rest, and takes the list away as the filter shows it. Method: an installation in this process, one run that a flow made, one written
// by hand as one that rests, and the real command line with a fake terminal.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { newFid } from '@koco/core'
import { defineFlow } from '@koco/flow'
import { freePort, newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const greet = defineFlow({ name: 'greet', summary: 'Says hello', inputs: z.object({ name: z.string() }), run: async ({ name }) => `Hello ${name}` })
const UNTIL = new Date('2026-11-25T10:42:07').getTime() / 1000

let cwd: string
let env: Record<string, string>
let koco: Installation
let greeted: string
const resting = newFid(Date.now() - 5000, Buffer.alloc(8, 1))
beforeAll(async () => {
  cwd = newFolder('cli-runs')
  const port = await freePort()
  env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_AUTH: 'off', KODO_LOG_LEVEL: 'silent' }
  const settings = readSettings({ env, flags: {}, cwd })
  koco = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [greet], whole: true, webDir: null })
  await koco.panel.listen({ host: '127.0.0.1', port })
  greeted = (await koco.launcher.start({ flow: 'greet', inputs: { name: 'Ann' }, user: 'admin', idempotencyKey: null })).fid
  await vi.waitUntil(async () => (await koco.store.runs.get(greeted))?.status === 'finished', { timeout: 25_000 })
  // By no launcher that would wake it.
  const told = { flow: 'crash', version: null, user: 'admin', summary: 'Dies', tags: [], parent: null, inputs: {}, createdAt: Date.now() / 1000 - 5 }
  await koco.store.runs.create({ ...told, fid: resting, launcher: 'elsewhere', idempotencyKey: null })
  const record = (seq: number, kind: string, data: object) => ({ epoch: 1, seq, ts: 1, kind, step: null, data: JSON.stringify(data) })
  await koco.store.writer.write([
    {
      fid: resting,
      records: [
        record(1, 'attempt', { attempt: 1, reason: 'start', owner: 'x', prev: '0-0' }),
        record(2, 'status', { status: 'running' }),
        record(3, 'status', { status: 'awaiting', until: UNTIL, deaths: 3 }),
      ],
    },
  ])
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

test('the list says what a run is about, and of one that rests until when and why', async () => {
  const { out } = await run('runs', 'list')
  expect(out).toMatch(new RegExp(`${greeted} .* name=Ann$`, 'm'))
  expect(out).toMatch(new RegExp(`${resting} .* resting until 10:42:07, its process died 3 times in a row$`, 'm'))
  expect((await run('runs', 'get', resting)).out).toMatch(/^deaths +3$/m)
})

test('the list leaves as lines and as a table, and the filter says which', async () => {
  const lines = (await run('runs', 'export')).out.split('\n').map((line) => JSON.parse(line) as { fid: string; about: string })
  expect(lines).toMatchObject([{ fid: greeted, about: 'name=Ann' }, { fid: resting }])
  expect(await run('runs', 'export', '--status', 'finished', '--from', '2026-01-01', '--format', 'csv', '--file', 'runs.csv')).toMatchObject({
    code: 0,
    err: '',
    out: '',
  })
  expect(readFileSync(join(cwd, 'runs.csv'), 'utf8')).toMatch(new RegExp(`^fid,flow,.*\\r\\n${greeted},greet,.*\\r\\n$`))
  expect((await run('runs', 'export', '--to', '2026-01-01')).out).toBe('')
  expect((await run('runs', 'export', '--limit', '1', '--tag', 'none')).out).toBe('')
})

test('a filter beside one id and a time that is none are refused', async () => {
  expect(await run('runs', 'export', greeted, '--flow', 'greet')).toMatchObject({ code: 2, err: expect.stringContaining('Leave its id out') as string })
  expect(await run('runs', 'export', '--from', 'soon')).toMatchObject({ code: 2, err: expect.stringContaining('--from takes a time') as string })
})
