// Goal: spoolers share the work fairly: none idles while another has a queue, streams that never run dry starve nobody, thousands of open streams are no matter. Method: backlogs in a real Redis, one, two and four
// spoolers over SQLite, and counts of who carried what; no clock is asserted.
import { rm } from 'node:fs/promises'
import { must, ORIGIN } from '@koco/core'
import { openExecutionStore, type ExecutionStore } from '@koco/storage'
import { keyPrefix, newFolder, plainRun, type RecordedRun } from '@koco/testing'
import type { Transport } from '@koco/transport'
import { createRedisTransport } from '@koco/transport/redis'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { eventually, SILENT } from './contract/fixture.ts'
import { createSpooler, type Spooler } from './index.ts'

let folder: string
let store: ExecutionStore
let transport: Transport
let prefix: string
const closing: (() => Promise<void>)[] = []

beforeEach(async () => {
  folder = newFolder('sharing')
  prefix = `${keyPrefix()}events:`
  store = await openExecutionStore({ dir: folder, migrate: true })
  transport = open()
})

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  await store.close()
  await rm(folder, { recursive: true })
})

function open(): Transport {
  const opened = createRedisTransport({ url: inject('redisUrl'), streamPrefix: prefix })
  closing.push(() => opened.close())
  return opened
}

/** Spoolers that begin at the same time; what they read they write as soon as `ready` is over. */
function start(count: number, ready: Promise<unknown> = Promise.resolve()): Spooler[] {
  const writer: ExecutionStore['writer'] = { write: (batch) => ready.then(() => store.writer.write(batch)) }
  const spoolers = Array.from({ length: count }, (_none, index) => {
    const { signals, consumer } = open()
    return createSpooler({ consumer: consumer(`spooler-${index}`), signals, writer, dead: store.dead, log: SILENT })
  })
  closing.push(async () => void (await Promise.all(spoolers.map((spooler) => spooler.stop(0)))))
  for (const spooler of spoolers) spooler.start()
  return spoolers
}

const runs = (count: number, events: number): RecordedRun[] => Array.from({ length: count }, (_none, index) => plainRun(index + 1, events, 100))
const carriedBy = (spoolers: readonly Spooler[]): number[] => spoolers.map((spooler) => spooler.status().events)
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

async function append({ run, timeline }: RecordedRun): Promise<void> {
  await transport.streams.create(run.fid, ORIGIN)
  for (let from = 0; from < timeline.length; from += 250) {
    const part = timeline.slice(from, from + 250)
    const { epoch, seq } = must(part[0], 'a record')
    const bodies = part.map(({ ts, kind, step, data }) => ({ ts, kind, step, data: kind === 'attempt' ? '{"attempt":1,"reason":"start","owner":"x"}' : data }))
    expect((await transport.streams.append(run.fid, epoch, seq, bodies)).answer).toBe('ok')
  }
}

test.each([1, 2, 4])('of %i spoolers over 48 deep streams each carries its part', async (count) => {
  const deep = runs(48, 2000)
  // They are there before the backlog is, which nobody carries before it is whole: how fast each was connected does not count.
  const whole = Promise.withResolvers<void>()
  const spoolers = start(count, whole.promise)
  await Promise.all(deep.map(append))
  whole.resolve()
  await eventually(() => sum(carriedBy(spoolers)) >= 96_000)
  const carried = carriedBy(spoolers)
  expect(Math.min(...carried), carried.join(', ')).toBeGreaterThan(96_000 / count / 10)
  for (const { run } of deep) expect((await store.runs.get(run.fid))?.events).toBe(2000)
})

test('a stream that never runs dry does not keep a spooler from the others', async () => {
  const [hot, ...others] = runs(31, 40)
  const endless = plainRun(1000, 30_000, 100)
  await append(endless)
  const [spooler] = start(1)
  await eventually(() => (spooler?.status().events ?? 0) > 0)
  await Promise.all([must(hot, 'a run'), ...others].map(append))
  for (const { run } of others) await eventually(async () => (await store.runs.get(run.fid))?.status === 'finished')
  expect((await store.runs.get(endless.run.fid))?.events ?? 0).toBeLessThan(30_000)
})

test('more streams that never run dry than a spooler holds do not keep it from one that comes last', async () => {
  await Promise.all(runs(60, 4000).map(append))
  const [spooler] = start(1)
  await eventually(() => (spooler?.status().events ?? 0) > 20_000)
  const last = plainRun(1000, 10)
  await append(last)
  await eventually(async () => (await store.runs.get(last.run.fid))?.status === 'finished')
  expect(spooler?.status().events).toBeLessThan(240_000)
})

test('five thousand open streams: all is stored, and two spoolers share them', async () => {
  const open5000 = runs(5000, 8)
  for (let from = 0; from < open5000.length; from += 500) await Promise.all(open5000.slice(from, from + 500).map(append))
  const spoolers = start(2)
  await eventually(() => sum(carriedBy(spoolers)) >= 40_000)
  expect(Math.min(...carriedBy(spoolers))).toBeGreaterThan(2000)
  const ended = await store.runs.counts()
  expect(ended).toMatchObject({ finished: 5000 })
})
