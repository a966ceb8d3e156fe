import { isFid, type RunEvent } from '@koco/core'
import type { Budget } from '@koco/storage'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Launcher } from '../launcher.ts'
import { describeLargeResults } from './describe-contents.ts'
import { describeForks } from './describe-fork.ts'
import { contractFlows, Workshop } from './flows.ts'
import { eventsOf, runEnd, runUntil, type LauncherUnderTest, type OpenLauncher } from './under-test.ts'

const IDLE_MS = 100

/** What a process knows of budgets may be some seconds old, so it is there from the beginning. */
const BUDGET: Budget = {
  id: 'contract',
  flow: 'spends',
  user: 'ada',
  per: 'run',
  costMax: 2,
  tokensMax: null,
  warnAt: 0.5,
  assignees: ['bob'],
  changedAt: 0,
  changedBy: 'op',
}

/** The contract of launchers: what each adapter must do, over its real store and stream. */
export function describeLauncher(name: string, open: OpenLauncher): void {
  describe(`launcher contract: ${name}`, () => {
    const shop = new Workshop()
    let under: LauncherUnderTest
    let launcher: Launcher
    beforeAll(async () => {
      under = await open(contractFlows(shop), IDLE_MS)
      launcher = under.launcher
      await under.store.budgets.put(BUDGET)
    })
    afterAll(() => under.close())

    const start = async (flow: string, inputs: { readonly n?: number; readonly gate?: string } = {}): Promise<string> =>
      (await launcher.start({ flow, inputs, user: 'ada', idempotencyKey: null })).fid
    const paused = (fid: string) => runUntil(under.store, fid, 'paused', (run) => run.status === 'paused')
    const asking = (fid: string) => runUntil(under.store, fid, 'awaiting with a lock', (run) => run.status === 'awaiting' && run.openLocks === 1)
    const lidOf = async (fid: string) => (await under.store.locks.list({ fid, limit: 10 })).items.at(-1)?.lid ?? ''
    const said = (events: readonly RunEvent[]) => events.map((event) => (event.kind === 'status' ? event.data.status : event.kind))

    describeForks(() => under)
    describeLargeResults(() => under, shop)

    test('a run is stored in the order of a plain run, each event once', async () => {
      const { fid, created } = await launcher.start({ flow: 'plain', inputs: { n: 3 }, user: 'ada', idempotencyKey: null })
      expect([isFid(fid), created]).toEqual([true, true])
      const run = await runEnd(under.store, fid)
      expect(run).toMatchObject({ flow: 'plain', user: 'ada', status: 'finished', attempt: 1, tags: ['contract'], inputs: { n: 3 } })
      expect(run.final).toEqual({ type: 'markdown', value: '# 3 30 300' })
      const events = await eventsOf(under.store, fid)
      expect(said(events)).toEqual(['attempt', 'starting', 'inputs', 'meta', 'running', ...Array.from({ length: 6 }, () => 'step'), 'final', 'finished'])
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    })

    test('an unknown flow and inputs that do not fit are refused with what is wrong', async () => {
      await expect(start('nowhere')).rejects.toMatchObject({ code: 'unknown_flow' })
      await expect(start('plain', { n: 0 })).rejects.toMatchObject({ code: 'invalid_inputs', details: [{ path: '/n', message: expect.any(String) }] })
    })

    test('a known idempotency key of the same user starts nothing', async () => {
      const again = { flow: 'plain', inputs: {}, user: 'ada', idempotencyKey: 'order-66' }
      const first = await launcher.start(again)
      expect(await launcher.start(again)).toEqual({ fid: first.fid, created: false })
      const other = await launcher.start({ ...again, user: 'bob' })
      expect(other.created).toBe(true)
      await Promise.all([runEnd(under.store, first.fid), runEnd(under.store, other.fid)])
    })

    test('a flow that throws ends its run with its error', async () => {
      const fid = await start('fails')
      const run = await runEnd(under.store, fid)
      expect(run).toMatchObject({ status: 'error', error: { name: 'RangeError', message: 'out of luck', code: 'E_LUCK' }, final: null })
      expect(JSON.stringify(run.error)).not.toContain('.ts:')
    })

    test('a lock takes the first answer that fits, and the run goes on', async () => {
      const fid = await start('asks', { gate: 'first-answer' })
      await asking(fid)
      const lid = await lidOf(fid)
      expect(await launcher.answer(fid, 'no-such-lock', {}, 'bob')).toEqual({ outcome: 'unknown' })
      expect(await launcher.answer(fid, lid, { go: 'maybe' }, 'bob')).toMatchObject({ outcome: 'invalid', fields: [{ path: '/go' }] })
      expect(await launcher.answer(fid, lid, { go: false }, 'bob')).toEqual({ outcome: 'accepted' })
      expect(await launcher.answer(fid, lid, { go: true }, 'eve')).toEqual({ outcome: 'answered', by: 'bob' })
      const run = await runEnd(under.store, fid)
      expect(run.final?.value).toEqual({ go: false, after: 'done' })
      expect(shop.done.filter((done) => done === 'first-answer before')).toHaveLength(1)
    })

    test('a question that nobody answers is put to others in time, while the run is put aside', async () => {
      const fid = await start('escalates')
      await asking(fid)
      const lid = await lidOf(fid)
      expect((await under.store.locks.get(fid, lid))?.escalations).toMatchObject([
        { assignees: ['ada', 'bob'], roles: [] },
        { assignees: ['ada', 'bob'], roles: ['operator'] },
      ])
      await expect.poll(async () => (await under.store.locks.get(fid, lid))?.escalated, { timeout: 60_000 }).toBe(2)
      expect(await under.store.locks.get(fid, lid)).toMatchObject({ status: 'open', assignees: ['ada', 'bob'], roles: ['operator'], escalated: 2 })
      expect(await launcher.answer(fid, lid, { go: true }, 'bob')).toEqual({ outcome: 'accepted' })
      expect((await runEnd(under.store, fid)).final?.value).toBe(true)
      const events = await eventsOf(under.store, fid)
      expect(said(events).filter((kind) => ['lock', 'awaiting', 'escalate', 'lease'].includes(kind))).toEqual(
        expect.arrayContaining(['lock', 'awaiting', 'escalate', 'escalate', 'lease']),
      )
      for (const event of events) if (event.kind === 'escalate') expect(event.ts).toBeGreaterThanOrEqual(event.data.at)
    })

    test('a run that used up a budget is held by a question, and goes on when somebody says so', async () => {
      const fid = await start('spends', { n: 3 })
      await asking(fid)
      const lid = await lidOf(fid)
      expect(await under.store.locks.get(fid, lid)).toMatchObject({ name: 'Budget "contract"', roles: ['operator'], assignees: ['bob'], expiresAt: null })
      expect(await launcher.answer(fid, lid, { decision: 'perhaps' }, 'bob')).toMatchObject({ outcome: 'invalid' })
      expect(await launcher.answer(fid, lid, { decision: 'go on' }, 'bob', 'It is worth it.')).toEqual({ outcome: 'accepted' })
      const run = await runEnd(under.store, fid)
      expect(run).toMatchObject({ status: 'finished', usage: { calls: 3, cost: 3 }, openLocks: 0 })
      const events = await eventsOf(under.store, fid)
      expect(events.filter(({ kind }) => kind === 'warning')).toHaveLength(2)
      expect(events.find(({ kind }) => kind === 'lease')?.data).toMatchObject({ by: 'bob', reason: 'It is worth it.' })
    })

    test('a lock answered at once, before the run is put aside, is not missed', async () => {
      const fid = await start('asks')
      await runUntil(under.store, fid, 'a lock', (run) => run.openLocks === 1)
      expect(await launcher.answer(fid, await lidOf(fid), { go: true }, 'bob')).toEqual({ outcome: 'accepted' })
      expect((await runEnd(under.store, fid)).final?.value).toMatchObject({ go: true })
    })

    test('a run that sleeps is put aside and wakes by itself', async () => {
      const run = await runEnd(under.store, await start('sleeps'))
      expect(run).toMatchObject({ status: 'finished', attempt: 2, final: { value: 'awake' } })
      expect(said(await eventsOf(under.store, run.fid))).toContain('awaiting')
    })

    test('a pause holds at the next step border, a resume goes on', async () => {
      const fid = await start('gated', { gate: 'pause' })
      await shop.reached('pause')
      expect(await launcher.describe(fid)).toMatchObject({ executing: true, where: expect.any(String) })
      expect(await launcher.pause(fid, 'bob', 'lunch')).toEqual({ outcome: 'accepted' })
      shop.open('pause')
      await paused(fid)
      expect(shop.done).not.toContain('pause three')
      expect(await launcher.pause(fid, 'bob')).toEqual({ outcome: 'accepted' })
      expect(await launcher.resume(fid, 'eve')).toEqual({ outcome: 'accepted' })
      expect(await runEnd(under.store, fid)).toMatchObject({ status: 'finished' })
      const words = (await eventsOf(under.store, fid)).flatMap((event) =>
        event.kind === 'pause' || event.kind === 'resume' ? [[event.kind, event.data.by]] : [],
      )
      expect(words).toEqual([
        ['pause', 'bob'],
        ['resume', 'eve'],
      ])
      expect(shop.done.filter((done) => done.startsWith('pause '))).toEqual(['pause one', 'pause three'])
    })

    test('a waiting run can be paused; an answer given meanwhile counts once it is resumed', async () => {
      const fid = await start('asks')
      await asking(fid)
      await launcher.pause(fid, 'bob')
      await paused(fid)
      expect(await launcher.answer(fid, await lidOf(fid), { go: true }, 'bob')).toEqual({ outcome: 'accepted' })
      await launcher.resume(fid, 'bob')
      expect((await runEnd(under.store, fid)).final?.value).toMatchObject({ go: true })
    })

    test('a cancel ends a working run and a waiting one, and is final', async () => {
      const working = await start('gated', { gate: 'cancel' })
      await shop.reached('cancel')
      const waiting = await start('asks')
      await asking(waiting)
      const lid = await lidOf(waiting)
      for (const fid of [working, waiting]) {
        expect(await launcher.cancel(fid, 'bob', 'enough')).toEqual({ outcome: 'accepted' })
        expect(await runEnd(under.store, fid)).toMatchObject({ status: 'cancelled' })
        expect((await eventsOf(under.store, fid)).find(({ kind }) => kind === 'cancel')?.data).toEqual({ by: 'bob', reason: 'enough' })
        expect(await launcher.cancel(fid, 'bob')).toEqual({ outcome: 'ended', status: 'cancelled' })
        expect(await launcher.resume(fid, 'bob')).toEqual({ outcome: 'ended', status: 'cancelled' })
      }
      expect(await launcher.answer(waiting, lid, { go: true }, 'bob')).toEqual({ outcome: 'closed' })
      expect(shop.done).not.toContain('cancel three')
    })

    test('requests to a run that nobody knows are answered so', async () => {
      const fid = 'f'.repeat(24)
      expect(await launcher.pause(fid, 'bob')).toEqual({ outcome: 'unknown' })
      expect(await launcher.retry(fid, 'bob')).toEqual({ outcome: 'unknown' })
      expect(await launcher.answer(fid, 'lid', 1, 'bob')).toEqual({ outcome: 'unknown' })
      expect(await launcher.describe(fid)).toEqual({ executing: false, where: null })
    })

    test('a retry keeps finished steps and does failed ones again; a live run refuses it', async () => {
      const fid = await start('fails-once', { gate: 'retry' })
      expect(await runEnd(under.store, fid)).toMatchObject({ status: 'error', error: { message: 'not this time' } })
      expect(await launcher.retry(fid, 'bob')).toEqual({ outcome: 'accepted' })
      const run = await runUntil(under.store, fid, 'finished', ({ status }) => status === 'finished')
      expect(run).toMatchObject({ attempt: 2, error: null, final: { value: 'at last' } })
      expect(shop.done.filter((done) => done.startsWith('retry '))).toEqual(['retry one', 'retry two', 'retry two'])
      const live = await start('asks')
      expect(await launcher.retry(live, 'bob')).toEqual({ outcome: 'live' })
      await launcher.cancel(live, 'bob')
      await runEnd(under.store, live)
    })

    test('a cancelled run can be retried and then finishes', async () => {
      const fid = await start('asks')
      await asking(fid)
      await launcher.cancel(fid, 'bob')
      await runEnd(under.store, fid)
      expect(await launcher.retry(fid, 'bob')).toEqual({ outcome: 'accepted' })
      await asking(fid)
      await launcher.answer(fid, await lidOf(fid), { go: true }, 'bob')
      expect(await runUntil(under.store, fid, 'finished', ({ status }) => status === 'finished')).toMatchObject({ final: { value: { go: true } } })
    })

    test('runs side by side do not meet', async () => {
      const fids = await Promise.all(Array.from({ length: 30 }, (_, n) => start('plain', { n: n + 1 })))
      const runs = await Promise.all(fids.map((fid) => runEnd(under.store, fid)))
      expect(runs.map((run) => run.final?.value)).toEqual(runs.map((_, n) => `# ${n + 1} ${(n + 1) * 10} ${(n + 1) * 100}`))
    })

    test('after the death of the process unfinished runs go on, finished steps are not done again', async () => {
      const working = await start('gated', { gate: 'death' })
      await shop.reached('death')
      const waiting = await start('asks', { gate: 'death-asks' })
      await asking(waiting)
      launcher = await under.restart()
      shop.open('death')
      expect(await runEnd(under.store, working)).toMatchObject({ status: 'finished' })
      expect(shop.done.filter((done) => done === 'death one' || done === 'death three')).toEqual(['death one', 'death three'])
      expect(await launcher.answer(waiting, await lidOf(waiting), { go: true }, 'bob')).toEqual({ outcome: 'accepted' })
      expect(await runEnd(under.store, waiting)).toMatchObject({ status: 'finished' })
      expect(shop.done.filter((done) => done === 'death-asks before')).toHaveLength(1)
    })

    test('a run whose process ends under it three times without progress rests, says so, and goes on by itself', async () => {
      const fid = await start('gated', { gate: 'deaths' })
      await shop.reached('deaths')
      let { attempt } = await runUntil(under.store, fid, 'its first try', (run) => run.status === 'running')
      for (let deaths = 1; deaths <= 3; deaths += 1) {
        launcher = await under.restart()
        attempt = (await runUntil(under.store, fid, `the try after death ${deaths}`, (run) => run.attempt > attempt)).attempt
      }
      const rests = await runUntil(under.store, fid, 'its rest', ({ status }) => status === 'awaiting')
      expect(await eventsOf(under.store, fid)).toContainEqual(
        expect.objectContaining({ kind: 'status', data: { status: 'awaiting', until: rests.wakeAt, deaths: 3, reason: expect.stringContaining('3 tries') } }),
      )
      shop.open('deaths')
      expect(await runEnd(under.store, fid)).toMatchObject({ status: 'finished', openLocks: 0 })
      expect(shop.done.filter((done) => done === 'deaths one')).toHaveLength(1)
    })
  })
}
