import { PoisonError, UnavailableError } from '@koco/core'
import { plainRun } from '@koco/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  appendRun,
  carried,
  createRun,
  eventually,
  faultyWriter,
  someRuns,
  standStill,
  startSpooler,
  stored,
  timelineOf,
  violations,
  type SpoolerFixture,
} from './fixture.ts'

/** What every pair of transport and store must do under a spooler: everything stored once and in order, whatever dies in between. */
export function describeSpooler(name: string, open: () => Promise<SpoolerFixture>): void {
  describe(`a spooler over ${name}`, () => {
    let fixture: SpoolerFixture
    const running: { stop(graceMs: number): Promise<void> }[] = []
    beforeEach(async () => {
      fixture = await open()
    })
    afterEach(async () => {
      await Promise.all(running.splice(0).map((spooler) => spooler.stop(0)))
      await fixture.dispose()
    })
    const start: typeof startSpooler = async (...args) => {
      const started = await startSpooler(...args)
      running.push(started.spooler)
      return started
    }

    test('stores what is appended and tells the readers up to where', async () => {
      const [run] = someRuns([1], 40)
      if (!run) throw new Error('no run')
      const told: string[] = []
      const off = await fixture.transport.signals.subscribe('committed', run.run.fid, (signal) => told.push(signal.position))
      await createRun(fixture, run)
      await start(fixture, 'one')
      await appendRun(fixture, run, 7)
      await stored(fixture.store, run)
      const last = run.timeline.at(-1)
      await eventually(() => told.at(-1) === `${last?.epoch}-${last?.seq}`)
      expect(await violations(fixture.store, run)).toEqual([])
      off()
    })

    test('two share the streams, and each event is stored once', async () => {
      const runs = someRuns([2, 3, 4, 5, 6, 7, 8, 9], 60)
      const both = [await start(fixture, 'one', { batchSize: 5 }), await start(fixture, 'two', { batchSize: 5 })]
      await Promise.all(
        runs.map(async (run) => {
          await createRun(fixture, run)
          await appendRun(fixture, run, 4)
        }),
      )
      for (const run of runs) await stored(fixture.store, run)
      for (const run of runs) expect(await violations(fixture.store, run)).toEqual([])
      await carried(
        both.map(({ spooler }) => spooler),
        runs,
      )
    })

    for (const point of ['read', 'committed', 'acknowledged'] as const) {
      test(`killed when a batch is ${point}, another one goes on: nothing lost, nothing twice`, async () => {
        const runs = someRuns([10, 11, 12], 30)
        for (const run of runs) await createRun(fixture, run)
        const { reached, crashPoint } = standStill(point)
        const { links } = await startSpooler(fixture, 'dying', { crashPoint })
        const appended = Promise.all(runs.map((run) => appendRun(fixture, run, 8)))
        await reached
        await links.kill()
        await start(fixture, 'heir')
        await appended
        for (const run of runs) await stored(fixture.store, run)
        for (const run of runs) expect(await violations(fixture.store, run)).toEqual([])
      })
    }

    test('a store that is away delays the events and loses none', async () => {
      const runs = someRuns([20, 21], 30)
      let away = true
      const changes: boolean[] = []
      const writer = faultyWriter(fixture.store.writer, () => (away ? new UnavailableError('the store is away', { code: 'away' }) : undefined))
      const { spooler } = await start(fixture, 'one', { writer, metrics: { delayed: (delayed) => changes.push(delayed) } })
      for (const run of runs) await createRun(fixture, run)
      const appended = Promise.all(runs.map((run) => appendRun(fixture, run, 8)))
      await eventually(() => spooler.status().state === 'delayed')
      expect(spooler.status()).toMatchObject({ delayedBy: 'the store is away', events: 0 })
      away = false
      await appended
      for (const run of runs) await stored(fixture.store, run)
      await carried([spooler], runs)
      expect(spooler.status().delayedSince).toBeNull()
      expect(changes).toEqual([true, false])
      for (const run of runs) expect(await violations(fixture.store, run)).toEqual([])
    })

    test('a record that no store takes is set aside, all others are stored', async () => {
      const run = plainRun(30, 60)
      const bad = run.timeline[25]
      const [other] = someRuns([31], 40)
      if (!other || !bad) throw new Error('no run')
      const poison = (seq: number, data: string) => seq === bad.seq && data === bad.data
      const writer = faultyWriter(fixture.store.writer, (records) =>
        records.some(({ seq, data }) => poison(seq, data)) ? new PoisonError('this record is bad', { code: 'bad' }) : undefined,
      )
      const dead: string[] = []
      await start(fixture, 'one', { writer, metrics: { dead: (reason) => dead.push(reason) } })
      for (const one of [run, other]) await createRun(fixture, one)
      await Promise.all([appendRun(fixture, run, 20), appendRun(fixture, other, 20)])
      await stored(fixture.store, other)
      await eventually(() => dead.length > 0)
      const { items } = await fixture.store.dead.list({ limit: 10 })
      expect(items).toMatchObject([{ fid: run.run.fid, position: `${bad.epoch}-${bad.seq}`, reason: 'poison: this record is bad' }])
      expect(JSON.parse(items[0]?.body ?? '')).toEqual(bad)
      expect(await violations(fixture.store, other)).toEqual([])

      // Its retry fills the hole, and the events behind it are read.
      await fixture.store.writer.write([{ fid: run.run.fid, records: [bad] }])
      await stored(fixture.store, run)
      expect(await violations(fixture.store, run)).toEqual([])
    })

    test('another content at a position that is taken is an alarm and a dead event; the first stays', async () => {
      const [run] = someRuns([40], 20)
      const first = run?.timeline[0]
      if (!run || !first) throw new Error('no run')
      await createRun(fixture, run)
      await fixture.store.writer.write([
        { fid: run.run.fid, records: [first, { ...(run.timeline[1] ?? first), data: '{"status":"starting","reason":"other"}' }] },
      ])
      const alarms: string[] = []
      const { spooler } = await start(fixture, 'one', { metrics: { alarm: (alarm) => alarms.push(alarm) } })
      await appendRun(fixture, run, 50)
      await carried([spooler], [run])
      expect(alarms).toContain('conflict')
      const { items } = await fixture.store.dead.list({ limit: 10 })
      expect(items.map(({ position, reason }) => [position, reason.split(':')[0]])).toEqual([[`${first.epoch}-2`, 'conflict']])
      expect((await timelineOf(fixture.store, run.run.fid))[1]?.data).toContain('other')
    })

    test('a stop finishes the batch in flight and acknowledges it', async () => {
      const [run] = someRuns([50], 20)
      if (!run) throw new Error('no run')
      const { promise: go, resolve: letGo } = Promise.withResolvers<void>()
      const { promise: held, resolve: reached } = Promise.withResolvers<void>()
      const crashPoint = async (point: string) => {
        if (point !== 'read') return
        reached()
        await go
      }
      await createRun(fixture, run)
      const { spooler } = await start(fixture, 'one', { crashPoint })
      const appended = appendRun(fixture, run, 100)
      await held
      const stopped = spooler.stop(10_000)
      letGo()
      await stopped
      expect(spooler.status().state).toBe('stopped')
      expect(spooler.status().events).toBeGreaterThan(0)
      await start(fixture, 'two')
      await appended
      await stored(fixture.store, run)
      expect(await violations(fixture.store, run)).toEqual([])
    })
  })
}
