// Goal: a run is made by code of the version that it was started on, waits while nobody serves that, and says so; a retry takes the newest. Method: workers of two versions over real servers.
import { isEnded } from '@koco/core'
import { createCatalog, defineFlow, type Flow, type Launcher } from '@koco/flow'
import { ofThisWorker } from '@koco/testing'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { createTemporalLauncher } from './client/launcher.ts'
import { TemporalServer } from './client/server.ts'
import { openRig, PATIENCE, type TemporalRig } from './testing/open-launcher.ts'
import { startTemporalWorker } from './worker/worker.ts'

const LIMITS = { limits: { idleMs: 50 } }

let rig: TemporalRig
let launcher: Launcher

beforeEach(async () => {
  rig = await openRig({ temporal: ofThisWorker(inject('temporalAddresses')), redis: inject('redisUrl') })
  launcher = createTemporalLauncher(rig)
})

afterEach(() => rig.close())

/** Asks and then says which version it is; the first version can be made to fail. */
function flowOf(version: string): Flow {
  return defineFlow({
    name: 'greet',
    summary: `Says its version, ${version}.`,
    version,
    inputs: z.object({ fail: z.boolean().default(false) }),
    async run({ fail }, ctx) {
      await ctx.lock('go on', { form: z.object({}) })
      if (fail && version === '1') throw new Error('version 1 cannot do this')
      return version
    },
  })
}

const start = async (inputs = {}): Promise<string> => (await launcher.start({ flow: 'greet', inputs, user: 'ada', idempotencyKey: null })).fid

async function answer(fid: string): Promise<void> {
  await rig.until(fid, (run) => run.status === 'awaiting')
  const lock = await vi.waitFor(async () => {
    const open = (await rig.store.locks.list({ fid, limit: 10 })).items.find(({ status }) => status === 'open')
    if (!open) throw new Error('no lock is open')
    return open
  }, PATIENCE)
  expect(await launcher.answer(fid, lock.lid, {}, 'bob')).toEqual({ outcome: 'accepted' })
}

test('runs in flight finish on the version that they began with, while new ones begin on the new', async () => {
  await rig.startWorker([flowOf('1')], LIMITS)
  const old = await start()
  await rig.until(old, (run) => run.status === 'awaiting')
  await rig.startWorker([flowOf('2')], LIMITS)
  const young = await vi.waitFor(async () => {
    const fid = await start()
    expect((await rig.store.runs.get(fid))?.version).toBe('2')
    return fid
  }, PATIENCE)
  await Promise.all([answer(old), answer(young)])
  expect((await rig.until(old, (run) => isEnded(run.status))).final?.value).toBe('1')
  expect((await rig.until(young, (run) => isEnded(run.status))).final?.value).toBe('2')
})

test('a run whose version nobody serves any more waits, says for what, and goes on when a worker of it comes', async () => {
  const first = await rig.startWorker([flowOf('1')], LIMITS)
  const fid = await start()
  await rig.until(fid, (run) => run.status === 'awaiting')
  await first.close()
  await rig.startWorker([flowOf('2')], LIMITS)
  await answer(fid)
  await vi.waitFor(
    async () => expect((await launcher.describe(fid)).waitsFor).toBe('a free worker that serves flow "greet" in version 1 (koco temporal-worker)'),
    PATIENCE,
  )
  await rig.startWorker([flowOf('1')], LIMITS)
  expect((await rig.until(fid, (run) => isEnded(run.status))).final?.value).toBe('1')
})

test('a failed run that is retried is made by the newest version', async () => {
  await rig.startWorker([flowOf('1')], LIMITS)
  const fid = await start({ fail: true })
  await answer(fid)
  await rig.until(fid, (run) => run.status === 'error')
  await rig.startWorker([flowOf('2')], LIMITS)
  await vi.waitFor(async () => expect((await rig.store.flows.list())[0]?.version).toBe('2'), PATIENCE)
  expect(await launcher.retry(fid, 'bob')).toEqual({ outcome: 'accepted' })
  expect((await rig.until(fid, (run) => run.status === 'finished')).final?.value).toBe('2')
})

test('flows that are replaced while a worker runs are served in their new version at once', async () => {
  const catalog = createCatalog([flowOf('1')])
  const { settings, store, transport, dir } = rig
  const worker = await startTemporalWorker({ settings, store, transport, catalog, cacheDir: dir, graceMs: 0, ...LIMITS })
  catalog.replace([flowOf('2')])
  const fid = await vi.waitFor(async () => {
    const started = await start()
    expect((await rig.store.runs.get(started))?.version).toBe('2')
    return started
  }, PATIENCE)
  await answer(fid)
  expect((await rig.until(fid, (run) => isEnded(run.status))).final?.value).toBe('2')
  await worker.close()
})

test('a namespace that does not exist and a server that is not there are told apart, with what to do', async () => {
  const { store, transport, settings, dir } = rig
  await rig.startWorker([flowOf('1')], LIMITS)
  const startAt = async (change: Partial<typeof settings>) => {
    const server = new TemporalServer({ ...settings, ...change })
    try {
      return await createTemporalLauncher({ server, store, transport }).start({ flow: 'greet', inputs: {}, user: 'ada', idempotencyKey: null })
    } finally {
      await server.close()
    }
  }
  await expect(startAt({ namespace: 'nowhere' })).rejects.toMatchObject({
    code: 'temporal_namespace',
    message: expect.stringContaining('KODO_TEMPORAL_NAMESPACE'),
  })
  await expect(startAt({ address: '127.0.0.1:1' })).rejects.toMatchObject({
    code: 'temporal_unavailable',
    message: expect.stringContaining('KODO_TEMPORAL_HOST'),
  })
  const workAt = (change: Partial<typeof settings>) =>
    startTemporalWorker({ settings: { ...settings, ...change }, store, transport, catalog: createCatalog([flowOf('1')]), cacheDir: dir })
  await expect(workAt({ namespace: 'nowhere' })).rejects.toMatchObject({
    code: 'temporal_namespace',
    message: expect.stringContaining('temporal operator namespace create -n nowhere'),
  })
  await expect(workAt({ address: '127.0.0.1:1' })).rejects.toMatchObject({
    code: 'temporal_unavailable',
    message: expect.stringMatching(/KODO_TEMPORAL_HOST.*temporal server start-dev/),
  })
})
