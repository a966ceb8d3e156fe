// Goal: `koco rebuild` tells and mends what deviates from the events, and a lost index comes back by itself at the next start. Method: a data folder written by an installation, damaged by hand, and the real command
// line.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineFlow } from '@koco/flow'
import { SnapshotFolder, takeSnapshot } from '@koco/storage'
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { newFolder } from '@koco/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openInstallation } from '../compose/installation.ts'
import { runCommand } from '../main.ts'
import { fakeIo } from '../output/fake-io.ts'
import { readSettings } from '../settings/read.ts'

const add = defineFlow({ name: 'add', summary: 'Adds one', inputs: z.object({ n: z.number() }), run: ({ n }, ctx) => ctx.step('add', () => n + 1) })

let cwd: string
beforeEach(() => {
  cwd = newFolder('cli-rebuild')
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

async function koco(...argv: string[]) {
  const io = fakeIo(cwd, { KODO_LOG_LEVEL: 'silent' }, '')
  const code = await runCommand(argv, io)
  return { code, out: io.printed.join('\n'), err: io.complaints.join('\n') }
}

/** Opens an installation, does something in it, and closes it. */
async function within<T>(act: (installation: Awaited<ReturnType<typeof openInstallation>>) => Promise<T>): Promise<T> {
  const settings = readSettings({ env: { KODO_LOG_LEVEL: 'silent' }, flags: {}, cwd })
  const installation = await openInstallation(settings, { cwd, log: pino({ level: 'silent' }), version: 'test', flows: [add], whole: true, webDir: null })
  try {
    return await act(installation)
  } finally {
    await installation.close(500)
  }
}

async function damage(fid: string): Promise<void> {
  const store = await createSqliteExecutionStore({ dir: join(cwd, 'data/execution') })
  const copies = (await store.keeper.copies(null, 10)).filter(({ state }) => state.fid === fid)
  await store.keeper.put(copies.map((copy) => ({ ...copy, state: { ...copy.state, status: 'running', events: 3 } })))
  await store.close()
}

test(
  'what deviates is told by --check, put right by rebuild; a lost index is made again at the next start, from a snapshot or from scratch',
  { timeout: 120_000 },
  async () => {
    const fid = await within(async ({ launcher, store }) => {
      const started = await launcher.start({ flow: 'add', inputs: { n: 1 }, user: 'admin', idempotencyKey: null })
      await vi.waitUntil(async () => (await store.runs.get(started.fid))?.status === 'finished', { timeout: 25_000 })
      await vi.waitUntil(() => readdirSync(join(cwd, 'data')).includes('snapshots'), { timeout: 25_000 })
      return started.fid
    })
    expect(await koco('rebuild', '--check')).toMatchObject({ code: 0, out: '1 runs compared with their events: all are equal' })
    await damage(fid)
    expect(await koco('rebuild', '--check')).toMatchObject({ code: 1, out: expect.stringContaining(`${fid}  events, status`) })
    expect(await koco('rebuild', '--snapshot')).toMatchObject({ code: 0, out: expect.stringContaining('1 deviated and were put right') })
    expect(readdirSync(join(cwd, 'data/snapshots/manual'))).toHaveLength(1)
    rmSync(join(cwd, 'data/execution/index.db'))
    await within(async ({ store }) =>
      expect(await store.runs.get(fid)).toMatchObject({ status: 'finished', final: { value: 2 }, launcher: 'direct', inputs: { n: 1 } }),
    )
    expect(await koco('rebuild', '--from-scratch')).toMatchObject({
      code: 0,
      out: expect.stringContaining('1 runs with 9 events made again from all events, 1 of them folded'),
    })
    expect(await koco('rebuild', '--check')).toMatchObject({ code: 0, out: '1 runs compared with their events: all are equal' })
  },
)

test('a koco with a newer projector keeps a snapshot of what was there and folds every run anew, while it serves', { timeout: 120_000 }, async () => {
  const fid = await within(async ({ launcher, store }) => {
    const started = await launcher.start({ flow: 'add', inputs: { n: 1 }, user: 'admin', idempotencyKey: null })
    await vi.waitUntil(async () => (await store.runs.get(started.fid))?.status === 'finished', { timeout: 25_000 })
    return started.fid
  })
  await damage(fid)
  const store = await createSqliteExecutionStore({ dir: join(cwd, 'data/execution') })
  await store.keeper.setProjection({ version: 0, cursor: null })
  await store.close()
  await within(async (installation) => {
    await vi.waitUntil(async () => (await installation.store.keeper.projection()).version > 0, { timeout: 25_000 })
    expect(await installation.store.runs.get(fid)).toMatchObject({ status: 'finished' })
  })
  expect(readdirSync(join(cwd, 'data/snapshots/before-migrate'))).toHaveLength(1)
})

test('a cold load that was cut off begins again', async () => {
  const fid = await within(async ({ launcher, store }) => {
    const started = await launcher.start({ flow: 'add', inputs: { n: 1 }, user: 'admin', idempotencyKey: null })
    await vi.waitUntil(async () => (await store.runs.get(started.fid))?.status === 'finished', { timeout: 25_000 })
    return started.fid
  })
  rmSync(join(cwd, 'data/execution/index.db'))
  const half = await createSqliteExecutionStore({ dir: join(cwd, 'data/execution'), migrate: true })
  await half.close()
  writeFileSync(join(cwd, 'data/execution/index.loading'), '')
  await within(async ({ store }) => expect(await store.runs.get(fid)).toMatchObject({ status: 'finished' }))
  expect(readdirSync(join(cwd, 'data/execution'))).not.toContain('index.loading')
})

test('one snapshot is restored by its name into an empty store, and nowhere else', { timeout: 120_000 }, async () => {
  const fid = await within(async ({ launcher, store }) => {
    const started = await launcher.start({ flow: 'add', inputs: { n: 1 }, user: 'admin', idempotencyKey: null })
    await vi.waitUntil(async () => (await store.runs.get(started.fid))?.status === 'finished', { timeout: 20_000 })
    await takeSnapshot(store.keeper, new SnapshotFolder(join(cwd, 'snapshots')), 'manual', Date.now())
    return started.fid
  })
  const [name = ''] = readdirSync(join(cwd, 'snapshots/manual'))
  const file = join('snapshots/manual', name)
  expect(await koco('rebuild', '--restore', file)).toMatchObject({ code: 4, err: expect.stringContaining('an empty store only; this one holds 1 runs') })
  rmSync(join(cwd, 'data/execution/index.db'))
  expect(await koco('rebuild', '--restore', 'data/other.json')).toMatchObject({ code: 4, err: expect.stringContaining('no snapshot that this koco can') })
  expect(await koco('rebuild', '--restore', file)).toMatchObject({
    code: 0,
    out: expect.stringMatching(new RegExp(`^1 runs with 9 events made again from .*${name}, \\d of them .*; the last position is \\d+-9 of run ${fid}`)),
  })
})
