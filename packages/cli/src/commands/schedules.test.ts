// Goal: schedules and child runs are made and found by the command line. Method: a whole installation in this process, without sign-in, and the real command line beside it, with a fake terminal.
import { rmSync } from 'node:fs'
import { defineFlow } from '@koco/flow'
import { freePort, newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const child = defineFlow({ name: 'child', summary: 'Doubles', inputs: z.object({ n: z.number() }), run: ({ n }) => n * 2 })
const parent = defineFlow({
  name: 'parent',
  summary: 'Has it doubled',
  inputs: z.object({ n: z.number() }),
  run: async ({ n }, ctx) => ctx.wait(await ctx.start('child', { n })),
})

let cwd: string
let env: Record<string, string>
let koco: Installation
beforeAll(async () => {
  cwd = newFolder('cli-schedules')
  const port = await freePort()
  env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_AUTH: 'off', KODO_LOG_LEVEL: 'silent' }
  const settings = readSettings({ env, flags: {}, cwd })
  koco = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [child, parent], whole: true, webDir: null })
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

test('a schedule is made, listed, triggered, paused, resumed and deleted', async () => {
  const made = await run(
    'schedules',
    'create',
    'parent',
    '--cron',
    '0 7 * * 1',
    '--time-zone',
    'Europe/Rome',
    '--input',
    'n=4',
    '--id',
    'mondays',
    '-o',
    'json',
  )
  expect([made.err, made.code]).toEqual(['', 0])
  expect(JSON.parse(made.out)).toMatchObject({ id: 'mondays', cron: '0 7 * * 1', time_zone: 'Europe/Rome', inputs: { n: 4 } })
  expect((await run('schedules', 'create', 'child', '--every', '12h', '--input', 'n=1', '-o', 'ids')).out).toMatch(/^child-[0-9a-f]{8}$/)
  expect((await run('schedules', 'list')).out).toMatch(/mondays +parent +0 7 \* \* 1 Europe\/Rome/)
  expect((await run('schedules', 'pause', 'mondays')).out).toBe('mondays')
  expect((await run('schedules', 'list')).out).toMatch(/mondays .* paused/)
  expect((await run('schedules', 'resume', 'mondays')).out).toBe('mondays')
  const fid = (await run('schedules', 'trigger', 'mondays')).out
  expect((await run('runs', 'get', fid, '-o', 'json')).out).toContain('"parent"')
  expect((await run('schedules', 'delete', 'mondays')).out).toBe('mondays')
  const gone = await run('schedules', 'delete', 'mondays')
  expect([gone.code, gone.err]).toEqual([4, expect.stringContaining('There is no schedule "mondays"')])
})

test('when is either a cron expression or an interval', async () => {
  for (const when of [[], ['--cron', '0 7 * * *', '--every', '1h'], ['--every', '1h', '--time-zone', 'UTC']]) {
    expect(await run('schedules', 'create', 'child', '--input', 'n=1', ...when)).toMatchObject({ code: 2, err: expect.stringContaining('Say when') as string })
  }
})

test('the children of a run are listed by it', async () => {
  const { fid } = await koco.launcher.start({ flow: 'parent', inputs: { n: 21 }, user: 'admin', idempotencyKey: null })
  await expect.poll(async () => (await koco.store.runs.get(fid))?.status).toBe('finished')
  const children = (await run('runs', 'list', '--parent', fid, '-o', 'ids')).out
  expect(children).toMatch(/^[0-9a-f]{24}$/)
  expect((await run('runs', 'get', fid, '-o', 'json')).out).toContain('"children": 1')
  expect(await koco.store.runs.get(children)).toMatchObject({ parent: fid, flow: 'child', final: { value: 42 } })
})
