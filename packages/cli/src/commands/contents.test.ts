// Goal: large results of steps are kept once for the whole installation, as long as a run names them, and no longer. Method: a whole installation in this process, closed and opened again; the files of its content store.
import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineFlow, FileFolder } from '@koco/flow'
import { freePort, newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { heldByRuns } from '../compose/contents.ts'
import { openInstallation, type Installation } from '../compose/installation.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const makes = defineFlow({
  name: 'makes',
  summary: 'Makes a large result',
  inputs: z.object({}),
  run: async (_inputs, ctx) => (await ctx.step('make', () => 'x'.repeat(400_000))).length,
})

const writes = defineFlow({
  name: 'writes',
  summary: 'Writes a large file twice, and a small one',
  inputs: z.object({}),
  async run(_inputs, ctx) {
    for (const path of ['one.txt', 'two.txt']) await ctx.files.write(path, 'y'.repeat(500_000))
    await ctx.files.write('small.txt', 'small')
    return (await ctx.files.text('out/two.txt')).length
  },
})

let cwd: string
let env: Record<string, string>
let koco: Installation
beforeEach(async () => {
  cwd = newFolder('cli-contents')
  const port = await freePort()
  env = { KODO_APP_SERVER: `http://127.0.0.1:${port}`, KODO_AUTH: 'off', KODO_LOG_LEVEL: 'silent' }
  koco = await open()
})
afterEach(async () => {
  await koco.close(500)
  rmSync(cwd, { recursive: true, force: true })
})

async function open(): Promise<Installation> {
  const settings = readSettings({ env, flags: {}, cwd })
  const installation = await openInstallation(settings, {
    cwd,
    log: pino({ level: 'silent' }),
    version: 'test',
    flows: [makes, writes],
    whole: true,
    webDir: null,
  })
  await installation.panel.listen({ host: '127.0.0.1', port: Number(new URL(env['KODO_APP_SERVER'] ?? '').port) })
  return installation
}

async function made(flow = 'makes'): Promise<string> {
  const { fid } = await koco.launcher.start({ flow, inputs: {}, user: 'admin', idempotencyKey: null })
  await vi.waitUntil(async () => (await koco.store.runs.get(fid))?.status === 'finished', { timeout: 25_000 })
  return fid
}

/** What lies in the content store. */
function kept(): string[] {
  return readdirSync(join(cwd, 'data/checkpoints/content/blobs'), { recursive: true })
    .map(String)
    .filter((path) => path.includes('/'))
}

async function collect(): Promise<string> {
  const io = fakeIo(cwd, env, '')
  expect([await runCommand(['checkpoints', 'gc', '--grace', '0'], io), io.complaints]).toEqual([0, []])
  return io.printed.join('\n')
}

test('two runs with one result keep it once; it goes with the last of them, not before', { timeout: 120_000 }, async () => {
  const fids = [await made(), await made()]
  expect(kept()).toHaveLength(1)
  expect(await koco.store.contents.totals()).toMatchObject({ named: 2, distinct: 1, bytes: 2 * 400_002 })
  await collect()
  expect(kept()).toHaveLength(1)
  // What this process has put lately is under its pin: only the next one could take it.
  await koco.close(500)
  koco = await open()
  const later = Date.now() / 1000 + 60
  expect(await koco.store.keeper.remove(fids.slice(0, 1), later)).toHaveLength(1)
  await collect()
  expect(kept()).toHaveLength(1)
  expect(await koco.store.keeper.remove(fids.slice(1), later)).toHaveLength(1)
  expect(await collect()).toContain('removed')
  expect(kept()).toEqual([])
})

test('a large file that runs write is kept once; it goes with the last of them, not while its folder is away', { timeout: 120_000 }, async () => {
  const fids = [await made('writes'), await made('writes')]
  expect(kept()).toHaveLength(1)
  await koco.close(500)
  koco = await open()
  await collect()
  expect(await runCommand(['prune', '--grace', '0s'], fakeIo(cwd, { ...env, KODO_RETAIN_RUNS: '1' }, ''))).toBe(0)
  expect(await koco.store.runs.get(fids[0] ?? '')).toBeUndefined()
  await collect()
  expect(kept()).toHaveLength(1)
  const files = new FileFolder(join(cwd, 'data/uploads'))
  expect((await files.list(fids[1] ?? '')).map(({ path, size }) => [path, size])).toEqual([
    ['out/one.txt', 500_000],
    ['out/small.txt', 5],
    ['out/two.txt', 500_000],
  ])
  renameSync(join(cwd, 'data/uploads'), join(cwd, 'data/away'))
  const io = fakeIo(cwd, env, '')
  expect(await runCommand(['checkpoints', 'gc', '--grace', '0'], io)).not.toBe(0)
  expect(io.complaints.join('')).toContain('KODO_UPLOAD_DIR')
  expect(kept()).toHaveLength(1)
  rmSync(join(cwd, 'data/uploads'), { recursive: true, force: true })
  renameSync(join(cwd, 'data/away'), join(cwd, 'data/uploads'))
  await files.removeAll(fids[1] ?? '')
  expect(await collect()).toContain('removed')
  expect(kept()).toEqual([])
})

test('nothing is taken away while events wait that may name it', async () => {
  const waiting = (name: string, oldestPendingMs: number | null) => async () => [{ name, streams: 1, lag: 3, oldestPendingMs }]
  const files = new FileFolder(join(cwd, 'data/uploads'))
  await expect(heldByRuns(koco.store, files, waiting('', null))).rejects.toMatchObject({ code: 'events_waiting' })
  await expect(heldByRuns(koco.store, files, waiting('one', 400_000))).rejects.toMatchObject({ code: 'events_waiting' })
  expect(await heldByRuns(koco.store, files, waiting('one', 200))).toEqual(new Set())
})
