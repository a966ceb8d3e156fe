// Goal: large results of steps are kept once for the whole installation, as long as a run names them, and no longer. Method: a whole installation in this process, closed and opened again; the files of its content store.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { defineFlow } from '@koco/flow'
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
  const installation = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [makes], whole: true, webDir: null })
  await installation.panel.listen({ host: '127.0.0.1', port: Number(new URL(env['KODO_APP_SERVER'] ?? '').port) })
  return installation
}

async function made(): Promise<string> {
  const { fid } = await koco.launcher.start({ flow: 'makes', inputs: {}, user: 'admin', idempotencyKey: null })
  await vi.waitUntil(async () => (await koco.store.runs.get(fid))?.status === 'finished', { timeout: 20_000 })
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

test('two runs with one result keep it once; it goes with the last of them, not before', { timeout: 60_000 }, async () => {
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

test('nothing is taken away while events wait that may name it', async () => {
  const waiting = (name: string, oldestPendingMs: number | null) => async () => [{ name, streams: 1, lag: 3, oldestPendingMs }]
  await expect(heldByRuns(koco.store, waiting('', null))).rejects.toMatchObject({ code: 'events_waiting' })
  await expect(heldByRuns(koco.store, waiting('one', 400_000))).rejects.toMatchObject({ code: 'events_waiting' })
  expect(await heldByRuns(koco.store, waiting('one', 200))).toEqual(new Set())
})
