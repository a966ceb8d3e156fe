// Goal: a restored backup is the installation: its users, keys, files and runs, and what was not over goes on. Method: an installation that runs, backed up by the command line, restored into another folder and
// opened there.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineFlow } from '@koco/flow'
import { freePort, newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { firstAdmin, localKey } from '../compose/sign-in.ts'
import { keyFile } from '../panel-client/key.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const ask = defineFlow({
  name: 'ask',
  summary: 'Asks a person',
  inputs: z.object({}),
  async run(_inputs, ctx) {
    await ctx.files.write('out/note.txt', 'a note')
    const large = await ctx.step('large', () => 'x'.repeat(200_000))
    await ctx.lock('sure', { form: z.object({ yes: z.boolean() }) })
    return large.length
  },
})

let base: string
beforeEach(() => {
  base = newFolder('cli-backup')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

async function open(cwd: string): Promise<{ readonly koco: Installation; readonly env: Record<string, string> }> {
  const port = await freePort()
  const env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_LOG_LEVEL: 'silent' }
  const settings = readSettings({ env, flags: {}, cwd })
  const koco = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [ask], whole: true, webDir: null })
  await firstAdmin(settings, koco.admin)
  await localKey(koco.admin, koco.hashSecret, keyFile(settings, cwd))
  await koco.panel.listen({ host: '127.0.0.1', port })
  return { koco, env }
}

async function run(cwd: string, env: Record<string, string>, ...argv: string[]) {
  const io = fakeIo(cwd, env, '')
  const code = await runCommand(argv, io)
  return { code, out: io.printed.join('\n'), err: io.complaints.join('\n') }
}

test('the restored installation has the same users, keys, files and runs, and a waiting run goes on in it', { timeout: 120_000 }, async () => {
  const [here, there] = [join(base, 'here'), join(base, 'there')]
  const first = await open(here)
  const { fid } = await first.koco.launcher.start({ flow: 'ask', inputs: {}, user: 'admin', idempotencyKey: null })
  await vi.waitUntil(async () => (await first.koco.store.locks.list({ fid, limit: 1 })).items[0], { timeout: 25_000 })
  const taken = await run(here, first.env, 'backup', '../backup')
  expect(taken).toMatchObject({ code: 0, err: '', out: expect.stringContaining('1 runs') })
  await first.koco.close(500)
  expect(await run(base, {}, 'backup', '--check', 'backup')).toMatchObject({ code: 0, out: expect.stringContaining('is whole') })
  expect(await run(there, {}, 'restore', '../backup')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('1 runs') })
  expect(readFileSync(join(there, 'data/uploads/runs', fid, 'out/note.txt'), 'utf8')).toBe('a note')
  const second = await open(there)
  try {
    // Signed in by the key that the first one made: users, keys and the secret came along.
    expect(await run(there, second.env, 'runs', 'get', fid, '-o', 'json')).toMatchObject({ code: 0, err: '' })
    const { items } = await second.koco.store.locks.list({ fid, limit: 1 })
    expect(await run(there, second.env, 'locks', 'answer', fid, items[0]?.lid ?? '', '--value', '{"yes":true}')).toMatchObject({ err: '', code: 0 })
    await vi.waitUntil(async () => (await second.koco.store.runs.get(fid))?.status === 'finished', { timeout: 25_000 })
    // The step's result lies outside its event, and came along.
    expect((await second.koco.store.runs.get(fid))?.final?.value).toBe(200_000)
  } finally {
    await second.koco.close(500)
  }
})

test('an installation in Postgres is told which tool to take', async () => {
  const refused = await run(base, { KODO_EXECUTION_DATABASE: 'postgresql://x@localhost/y' }, 'backup', 'b')
  expect(refused).toMatchObject({ code: 4, err: expect.stringContaining('pg_dump') })
})
