import type { EventData } from '@koco/core'
import { isEnded, isFid, must } from '@koco/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Launcher } from '../launcher.ts'
import { familyFlows } from './child-flows.ts'
import { Workshop } from './flows.ts'
import { eventsOf, runEnd, runUntil, type LauncherUnderTest, type OpenLauncher } from './under-test.ts'

const IDLE_MS = 100

/** The contract of launchers about runs that start runs. `many`: children of one parent, default 200. */
export function describeChildren(name: string, open: OpenLauncher, many = 200): void {
  describe(`children of runs: ${name}`, () => {
    const shop = new Workshop()
    let under: LauncherUnderTest
    let launcher: Launcher
    beforeAll(async () => {
      under = await open(familyFlows(shop), IDLE_MS)
      launcher = under.launcher
    })
    afterAll(() => under.close())

    const start = async (flow: string, inputs: { readonly n?: number; readonly gate?: string } = {}): Promise<string> =>
      (await launcher.start({ flow, inputs, user: 'ada', idempotencyKey: null })).fid
    const until = (fid: string, status: string) => runUntil(under.store, fid, status, (run) => run.status === status)
    const childOf = async (fid: string): Promise<string> => {
      await runUntil(under.store, fid, 'a child event', (run) => run.events > 5)
      for (;;) {
        const [child] = await under.store.runs.children(fid, null, 10)
        if (child) return child.fid
      }
    }
    const childEvents = async (fid: string): Promise<EventData['child'][]> =>
      (await eventsOf(under.store, fid)).flatMap((event) => (event.kind === 'child' ? [event.data] : []))

    test('a parent and its child name each other, and the parent gets what the child returned', async () => {
      const fid = await start('sum', { n: 1 })
      expect(await runEnd(under.store, fid)).toMatchObject({ status: 'finished', final: { type: 'json', value: 2 } })
      const [child] = await under.store.runs.children(fid, null, 10)
      const run = must(await under.store.runs.get(child?.fid ?? ''), 'the child')
      expect(run).toMatchObject({ flow: 'double', user: 'ada', parent: fid, inputs: { n: 1 }, status: 'finished' })
      expect(isFid(run.fid)).toBe(true)
      expect((await eventsOf(under.store, run.fid)).find(({ kind }) => kind === 'meta')?.data).toMatchObject({ parent: fid })
      const about = { id: 'double[1]', fid: run.fid, flow: 'double' }
      expect(await childEvents(fid)).toEqual([
        { phase: 'started', ...about, input: expect.any(String) },
        { phase: 'ended', ...about, status: 'finished', result: { type: 'json', value: 2 } },
      ])
    })

    test('a parent that only waits is put aside, and goes on when its child has ended', async () => {
      const fid = await start('waits', { gate: 'aside' })
      await until(fid, 'awaiting')
      expect(await launcher.describe(fid)).toEqual({ executing: false, where: null })
      shop.open('aside')
      expect(await runEnd(under.store, fid)).toMatchObject({ status: 'finished', attempt: 2, final: { value: 'aside is open' } })
      expect(await under.store.runs.counts({ parent: fid })).toEqual({ finished: 1 })
    })

    test('a child may itself wait for a person', async () => {
      const fid = await start('waits-for-answer')
      const child = await childOf(fid)
      await runUntil(under.store, child, 'a lock', (run) => run.openLocks === 1)
      const lid = (await under.store.locks.list({ fid: child, limit: 1 })).items[0]?.lid ?? ''
      expect(await launcher.answer(child, lid, 7, 'bob')).toEqual({ outcome: 'accepted' })
      expect(await runEnd(under.store, fid)).toMatchObject({ status: 'finished', final: { value: 7 } })
    })

    test('a child that fails is named by the error of who waits for it, with its own', async () => {
      const fid = await start('waits-for-failing', { gate: 'fails' })
      const run = await runEnd(under.store, fid)
      const [child] = await under.store.runs.children(fid, null, 10)
      expect(run).toMatchObject({ status: 'error', error: { name: 'ChildRunError', code: 'child_error' } })
      expect(run.error?.message).toBe(`Child run ${child?.fid} of flow "fails-once-child" ended as error: not this time`)
      const caught = await runEnd(under.store, await start('catches', { gate: 'caught' }))
      const its = { name: 'RangeError', message: 'not this time' }
      expect(caught.final?.value).toEqual({ ours: true, of: 'fails-once-child', status: 'error', its, code: 'child_error', other: 8 })
    })

    test('a child that works longer than its limit ends timed out, under a parent that waits, and the parent is told in a form that it can catch', async () => {
      const [fid, caught] = await Promise.all([start('waits-for-slow'), start('catches-slow')])
      const run = await runEnd(under.store, fid)
      const [child] = await under.store.runs.children(fid, null, 10)
      expect(await under.store.runs.get(child?.fid ?? '')).toMatchObject({ status: 'timed_out', error: { name: 'RunTimeoutError' } })
      expect(run).toMatchObject({ status: 'error', error: { name: 'ChildRunError', code: 'child_timed_out' } })
      expect(run.error?.message).toMatch(new RegExp(`^Child run ${child?.fid} of flow "slow-child" ended as timed_out: `))
      const about = { ours: true, of: 'slow-child', status: 'timed_out', code: 'child_timed_out', its: { name: 'RunTimeoutError' } }
      expect((await runEnd(under.store, caught)).final?.value).toMatchObject(about)
      expect((await childEvents(fid)).at(-1)).toMatchObject({ phase: 'ended', status: 'timed_out', error: { name: 'RunTimeoutError' } })
    })

    test('a retried parent does its failed child again, under the same fid', async () => {
      const fid = await start('waits-for-failing', { gate: 'again' })
      expect(await runEnd(under.store, fid)).toMatchObject({ status: 'error' })
      expect(await launcher.retry(fid, 'bob')).toEqual({ outcome: 'accepted' })
      expect(await until(fid, 'finished')).toMatchObject({ final: { value: 'at last' } })
      const children = await under.store.runs.children(fid, null, 10)
      expect(children).toMatchObject([{ status: 'finished' }])
      expect(await under.store.runs.get(children[0]?.fid ?? '')).toMatchObject({ attempt: 2 })
    })

    test('what a launcher refuses reaches the flow that asked', async () => {
      expect(await runEnd(under.store, await start('refused'))).toMatchObject({ status: 'finished', final: { value: ['unknown_flow', 'invalid_inputs'] } })
    })

    test('a child that nobody waits for goes on when its parent has finished', async () => {
      const fid = await start('leaves', { gate: 'left' })
      const child = (await runEnd(under.store, fid)).final?.value as string
      await shop.reached('left')
      shop.open('left')
      expect(await runEnd(under.store, child)).toMatchObject({ status: 'finished', parent: fid })
    })

    test('a cancel goes down to children and their children', async () => {
      const fid = await start('waits-for-waits', { gate: 'cancelled' })
      await shop.reached('cancelled')
      const child = await childOf(fid)
      const grandchild = await childOf(child)
      await until(fid, 'awaiting')
      expect(await launcher.cancel(fid, 'bob', 'enough')).toEqual({ outcome: 'accepted' })
      for (const each of [fid, child, grandchild]) expect(await runEnd(under.store, each)).toMatchObject({ status: 'cancelled' })
      const said = (await eventsOf(under.store, child)).find(({ kind }) => kind === 'cancel')
      expect(said?.data).toEqual({ by: 'bob', reason: `its parent ${fid} was stopped: enough` })
    })

    test('after the death of the process parent and child go on, and no second child is started', async () => {
      const fid = await start('waits-for-waits', { gate: 'death' })
      await shop.reached('death')
      await until(fid, 'awaiting')
      launcher = await under.restart()
      shop.open('death')
      expect(await runEnd(under.store, fid)).toMatchObject({ status: 'finished', final: { value: 'death is open' } })
      expect(await under.store.runs.counts({ parent: fid })).toEqual({ finished: 1 })
      expect(shop.done.filter((done) => done === 'death before')).toHaveLength(1)
    })

    test(`one parent has ${many} children`, { timeout: 120_000 }, async () => {
      const fid = await start('sum', { n: many })
      const run = await runUntil(under.store, fid, 'its end', ({ status }) => isEnded(status), 100_000)
      expect(run).toMatchObject({ status: 'finished', final: { value: many * (many + 1) } })
      expect(await under.store.runs.counts({ parent: fid })).toEqual({ finished: many })
      const events = await childEvents(fid)
      expect([events.filter(({ phase }) => phase === 'started').length, events.filter(({ phase }) => phase === 'ended').length]).toEqual([many, many])
    })
  })
}
