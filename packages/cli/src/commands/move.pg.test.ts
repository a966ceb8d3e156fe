// Goal: an installation on files goes on in Postgres: its users and keys sign in, a run that waited for a person is answered there, one that slept wakes, a schedule is there. Method: an installation that runs, the command
// line, and the moved installation opened with the settings that the command told.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineFlow } from '@koco/flow'
import { createDatabase, freePort, newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { firstAdmin, localKey } from '../compose/sign-in.ts'
import { keyFile } from '../panel-client/key.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

let counted = 0
const ask = defineFlow({
  name: 'ask',
  summary: 'Does a step, then asks a person',
  inputs: z.object({}),
  async run(_inputs, ctx) {
    const step = await ctx.step('count', () => ++counted)
    await ctx.files.write('out/note.txt', `step ${step}`)
    const large = await ctx.step('large', () => 'x'.repeat(300_000))
    const { yes } = await ctx.lock('sure', { form: z.object({ yes: z.boolean() }), timeout: null })
    return { step, yes, large: large.length }
  },
})
const doze = defineFlow({
  name: 'doze',
  summary: 'Sleeps past the move',
  inputs: z.object({}),
  run: async (_inputs, ctx) => (await ctx.sleep('1h'), 'awake'),
})

let base: string
let database: Awaited<ReturnType<typeof createDatabase>>
beforeEach(async () => {
  base = newFolder('cli-move')
  database = await createDatabase(inject('postgresUrl'))
  counted = 0
})
afterEach(async () => {
  vi.restoreAllMocks()
  await database.drop()
  rmSync(base, { recursive: true, force: true })
})

async function open(more: Record<string, string> = {}): Promise<{ readonly koco: Installation; readonly env: Record<string, string> }> {
  const port = await freePort()
  const env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_LOG_LEVEL: 'silent', ...more }
  const settings = readSettings({ env, flags: {}, cwd: base })
  const koco = await openInstallation(settings, { cwd: base, log: pino({ level: 'silent' }), version: 'test', flows: [ask, doze], whole: true, webDir: null })
  await koco.panel.listen({ host: '127.0.0.1', port })
  return { koco, env }
}

async function run(env: Record<string, string>, ...argv: string[]) {
  const io = fakeIo(base, env, '')
  const code = await runCommand(argv, io)
  return { code, out: io.printed.join('\n'), err: io.complaints.join('\n') }
}

test('runs that are not over go on after the move, and everybody signs in as before', { timeout: 90_000 }, async () => {
  const first = await open()
  const settings = readSettings({ env: first.env, flags: {}, cwd: base })
  await firstAdmin(settings, first.koco.admin)
  await localKey(first.koco.admin, first.koco.hashSecret, keyFile(settings, base))
  const start = async (flow: string) => (await first.koco.launcher.start({ flow, inputs: {}, user: 'admin', idempotencyKey: null })).fid
  const [asking, dozing] = [await start('ask'), await start('doze')]
  await vi.waitUntil(async () => (await first.koco.store.locks.list({ fid: asking, limit: 1 })).items[0], { timeout: 25_000 })
  await vi.waitUntil(async () => (await first.koco.store.runs.get(dozing))?.status === 'awaiting', { timeout: 25_000 })
  expect(await run(first.env, 'schedules', 'create', 'ask', '--cron', '0 7 29 2 *', '--id', 'leap-days')).toMatchObject({ code: 0 })
  expect(await run({}, 'move', '--from', 'data', '--to', database.url)).toMatchObject({ code: 4, err: expect.stringContaining('A koco is running') })
  await first.koco.close(500)
  const moved = await run({}, 'move', '--from', 'data', '--to', database.url, '--files-to', 'new')
  expect(moved).toMatchObject({ code: 0, out: expect.stringContaining('2 runs (2 not over)') })
  expect(moved.out).toContain('KODO_SECRET_KEY_FILE=')
  // By then it is the next day.
  const now = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => now() + 24 * 3_600_000)
  const second = await open({
    KODO_EXECUTION_DATABASE: database.url,
    KODO_ADMIN_DATABASE: database.url,
    KODO_SECRET_KEY_FILE: join(base, 'data/secret.key'),
    KODO_UPLOAD_DIR: join(base, 'new/uploads'),
    KODO_BLOB_STORE: /KODO_BLOB_STORE=(\S+)/.exec(moved.out)?.[1] ?? '',
    KODO_API_KEY_FILE: keyFile(settings, base),
  })
  try {
    expect(await run(second.env, 'runs', 'list', '-o', 'ids')).toMatchObject({ code: 0, err: '', out: expect.stringContaining(asking) })
    expect(await run(second.env, 'schedules', 'list', '-o', 'ids')).toMatchObject({ out: 'leap-days' })
    const { items } = await second.koco.store.locks.list({ fid: asking, limit: 1 })
    expect(await run(second.env, 'locks', 'answer', asking, items[0]?.lid ?? '', '--value', '{"yes":true}')).toMatchObject({ err: '', code: 0 })
    for (const fid of [asking, dozing]) await vi.waitUntil(async () => (await second.koco.store.runs.get(fid))?.status === 'finished', { timeout: 30_000 })
    expect(await second.koco.store.runs.get(asking)).toMatchObject({ final: { value: { step: 1, yes: true, large: 300_000 } } })
    expect(counted).toBe(1)
  } finally {
    await second.koco.close(500)
  }
})

test('a place without runs and an address that is no database are refused', async () => {
  expect(await run({}, 'move', '--from', 'nowhere', '--to', database.url)).toMatchObject({ code: 4, err: expect.stringContaining('There are no runs') })
  expect(await run({}, 'move', '--from', 'data', '--to', 'sqlite:///./x.db')).toMatchObject({ code: 2 })
})
