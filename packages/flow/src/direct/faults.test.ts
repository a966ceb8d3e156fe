// Goal: what is no flow's fault ends no run: a store or stream that is away, lost events, a second launcher, a vanished flow, a stop in the middle. Method: the embedded shape with faults put between launcher and stream or store.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@koco/core'
import type { EventStreams } from '@koco/transport'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { createCatalog } from '../catalog.ts'
import { eventsOf, runEnd, runUntil } from '../contract/under-test.ts'
import { defineFlow } from '../flow.ts'
import type { Launcher } from '../launcher.ts'
import { openEmbedded } from '../contract/embedded.ts'
import { createDirectLauncher } from './launcher.ts'
import type { DirectLauncherOptions } from './options.ts'

let dir = ''
let shape: Awaited<ReturnType<typeof openEmbedded>>
let launcher: Launcher | undefined
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-faults-'))
  shape = await openEmbedded(dir)
})
afterEach(async () => {
  await launcher?.close(0)
  launcher = undefined
  await shape.close()
  await rm(dir, { recursive: true, force: true })
})

const done: string[] = []
const flow = defineFlow({
  name: 'two-steps',
  summary: 'Two steps, an optional wait between them',
  inputs: z.object({ gate: z.boolean().default(false) }),
  async run({ gate }, ctx) {
    await ctx.step('one', () => done.push('one'))
    if (gate) await ctx.lock('gate', { timeout: null })
    return ctx.step('two', () => done.push('two'))
  },
})

async function open(options: Partial<DirectLauncherOptions> = {}): Promise<Launcher> {
  done.length = 0
  const opened = await createDirectLauncher({
    catalog: createCatalog([flow]),
    store: shape.store,
    transport: shape.transport,
    backOffMs: { first: 5, most: 20 },
    limits: { idleMs: 30 },
    ...options,
  })
  launcher = opened
  return opened
}

const begin = async (on: Launcher, inputs: object = {}) =>
  (await on.start({ flow: 'two-steps', inputs: inputs as { gate?: boolean }, user: 'ada', idempotencyKey: null })).fid

/** The streams, failing some appends: before they are done (`lost` false) or after (the reply is lost). */
function failing(fails: (call: number) => 'before' | 'after' | undefined): EventStreams {
  const { streams } = shape.transport
  let call = 0
  return {
    commits: streams.commits,
    create: (fid, floor) => streams.create(fid, floor),
    top: (fid) => streams.top(fid),
    close: () => streams.close(),
    append: async (...args) => {
      const fault = fails((call += 1))
      if (fault === 'before') throw new UnavailableError('cut', { code: 'test_cut' })
      const answer = await streams.append(...args)
      if (fault === 'after') throw new UnavailableError('cut', { code: 'test_cut' })
      return answer
    },
  }
}

test('cut appends and lost replies delay a run, and neither lose nor double an event', async () => {
  const streams = failing((call) => (call % 3 === 0 ? 'after' : call % 3 === 1 ? 'before' : undefined))
  const on = await open({ transport: { streams, signals: shape.transport.signals } })
  const fid = await begin(on)
  expect(await runEnd(shape.store, fid)).toMatchObject({ status: 'finished', attempt: 1 })
  const events = await eventsOf(shape.store, fid)
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  expect(done).toEqual(['one', 'two'])
})

test('a store that is away when a try begins is waited for, with a later try', async () => {
  let away = 3
  const runs = {
    ...shape.store.runs,
    nextEpoch: async (fid: string, nowMs: number) => {
      if ((away -= 1) >= 0) throw new UnavailableError('away', { code: 'test_away' })
      return shape.store.runs.nextEpoch(fid, nowMs)
    },
  }
  const on = await open({ store: { ...shape.store, runs } })
  const fid = await begin(on, { gate: true })
  const run = await runUntil(shape.store, fid, 'awaiting', ({ status, openLocks }) => status === 'awaiting' && openLocks === 1)
  const lid = (await shape.store.locks.list({ fid: run.fid, limit: 1 })).items[0]?.lid ?? ''
  expect(await on.answer(fid, lid, true, 'bob')).toEqual({ outcome: 'accepted' })
  expect(await runEnd(shape.store, fid)).toMatchObject({ status: 'finished' })
  expect([away < 0, done]).toEqual([true, ['one', 'two']])
})

test('a stream that vanished (a restarted process) is made again, and the run goes on', async () => {
  const first = await open()
  const fid = await begin(first, { gate: true })
  await runUntil(shape.store, fid, 'awaiting', ({ status }) => status === 'awaiting')
  await first.close(100)
  await shape.close()
  shape = await openEmbedded(dir)
  const second = await open()
  const lid = (await shape.store.locks.list({ fid, limit: 1 })).items[0]?.lid ?? ''
  expect(await second.answer(fid, lid, null, 'bob')).toEqual({ outcome: 'accepted' })
  expect(await runEnd(shape.store, fid)).toMatchObject({ status: 'finished', attempt: 2 })
  expect(done).toEqual(['two'])
})

test('an answer accepted just before the process died wakes the run in the next', async () => {
  const first = await open()
  const fid = await begin(first, { gate: true })
  await runUntil(shape.store, fid, 'awaiting', ({ status }) => status === 'awaiting')
  await first.close(0)
  const lid = (await shape.store.locks.list({ fid, limit: 1 })).items[0]?.lid ?? ''
  await shape.store.locks.answer(fid, { lid, answer: 'yes', by: 'bob', at: Date.now() / 1000 })
  await open()
  expect(await runEnd(shape.store, fid)).toMatchObject({ status: 'finished' })
})

test('a cancel or a pause asked for just before the process died counts in the next', async () => {
  const first = await open()
  const fids = [await begin(first, { gate: true }), await begin(first, { gate: true })] as const
  for (const fid of fids) await runUntil(shape.store, fid, 'awaiting', ({ status }) => status === 'awaiting')
  await first.close(0)
  await shape.store.runs.request(fids[0], { wanted: 'cancel', by: 'bob', reason: null, at: Date.now() / 1000 })
  await shape.store.runs.request(fids[1], { wanted: 'pause', by: 'bob', reason: null, at: Date.now() / 1000 })
  await open()
  expect(await runEnd(shape.store, fids[0])).toMatchObject({ status: 'cancelled' })
  await runUntil(shape.store, fids[1], 'paused', ({ status }) => status === 'paused')
})

test('a second launcher on one store is refused with the remedy, until the first has gone', async () => {
  const first = await open()
  await expect(open()).rejects.toMatchObject({ code: 'launcher_taken' })
  await first.close(0)
  await open()
})

test('a run whose flow is not served any more ends with what to do; served again it can be retried', async () => {
  const first = await open()
  const fid = await begin(first, { gate: true })
  await runUntil(shape.store, fid, 'awaiting', ({ status }) => status === 'awaiting')
  await first.close(0)
  const catalog = createCatalog([])
  const second = await open({ catalog })
  await second.cancel('f'.repeat(24), 'bob')
  const lid = (await shape.store.locks.list({ fid, limit: 1 })).items[0]?.lid ?? ''
  await second.answer(fid, lid, true, 'bob')
  expect(await runEnd(shape.store, fid)).toMatchObject({ status: 'error', error: { code: 'unknown_flow' } })
  await expect(second.retry(fid, 'bob')).rejects.toMatchObject({ code: 'unknown_flow' })
  catalog.replace([flow])
  expect(await second.retry(fid, 'bob')).toEqual({ outcome: 'accepted' })
})

test('inputs that no event can hold are refused at the start', async () => {
  const on = await open()
  await expect(begin(on, { gate: false, rest: 'x'.repeat(300_000) })).rejects.toMatchObject({ code: 'inputs_too_large' })
})

test('a run whose tries keep breaking is ended with the error, not tried for ever', async () => {
  let reads = 0
  const reader = {
    read: async (...args: Parameters<typeof shape.store.reader.read>) => {
      if ((reads += 1) <= 5) throw new TypeError('a broken row')
      return shape.store.reader.read(...args)
    },
  }
  const on = await open({ store: { ...shape.store, reader } })
  const fid = await begin(on, { gate: true })
  await runUntil(shape.store, fid, 'awaiting', ({ status }) => status === 'awaiting')
  await on.answer(fid, (await shape.store.locks.list({ fid, limit: 1 })).items[0]?.lid ?? '', 1, 'bob')
  expect(await runEnd(shape.store, fid)).toMatchObject({ status: 'error', error: { message: 'a broken row' } })
})

test('a closing launcher refuses starts, and gives up its place', async () => {
  const on = await open()
  const closing = on.close(0)
  await expect(begin(on)).rejects.toMatchObject({ code: 'stopping' })
  await closing
  await on.close(0)
})

test('the flows that are served are in the registry, and leave it', async () => {
  const on = await open()
  await runEnd(shape.store, await begin(on))
  const listed = await shape.store.flows.list()
  expect(listed).toMatchObject([{ name: 'two-steps', workers: [{ launcher: 'direct', pid: process.pid }] }])
  await on.close(0)
  expect((await shape.store.flows.list())[0]?.workers).toEqual([])
})
