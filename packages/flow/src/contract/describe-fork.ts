import { isEnded, newFid, ORIGIN, parseJson, type EventRecord, type Json, type Position } from '@koco/core'
import { randomBytes } from 'node:crypto'
import type { ExecutionStore } from '@koco/storage'
import { expect, test } from 'vitest'
import { describeFork, forkRun, type ForkDeps } from '../fork/fork-run.ts'
import type { ForkEdits } from '../fork/plan.ts'
import { runEnd, runUntil, type LauncherUnderTest } from './under-test.ts'

/** What every launcher must do with a fork: take it up from the journal that it was given. */
export function describeForks(under: () => LauncherUnderTest): void {
  const deps = (): ForkDeps => ({ store: under().store, launcher: under().launcher, clock: { now: Date.now }, randomBytes, copyFiles: async () => undefined })
  const start = async (flow: string, inputs: Json): Promise<string> => (await under().launcher.start({ flow, inputs, user: 'ada', idempotencyKey: null })).fid
  const fork = async (fid: string, at: Position, edits: ForkEdits = {}) => await forkRun(deps(), { fid, at, user: 'bob', edits })
  /** The end of what a fork does itself: its prefix ends as a cancelled run, until the launcher has taken it up. */
  const forkEnd = (fid: string) => runUntil(under().store, fid, 'its own end', (run) => isEnded(run.status) && run.attempt > 1)
  const finishedStep = (events: readonly EventRecord[], name: string): EventRecord => {
    const found = events.find((event) => event.kind === 'step' && event.data.includes('"finished"') && event.data.includes(`"name":"${name}"`))
    if (!found) throw new Error(`step ${name} has not finished`)
    return found
  }

  test('a fork goes on from the prefix of a run: finished steps are taken over, the others are done', async () => {
    const fid = await start('plain', { n: 3 })
    await runEnd(under().store, fid)
    const original = await under().store.runs.get(fid)
    const events = await wholeTimeline(under().store, fid)
    const at = finishedStep(events, 'b')
    const { fid: forked, plan } = await fork(fid, at)
    expect(plan.reused.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(plan.again.map(({ name, reason }) => [name, reason])).toEqual([['c', 'later']])
    const run = await forkEnd(forked)
    expect(run).toMatchObject({ status: 'finished', final: original?.final, user: 'bob', flow: 'plain', inputs: { n: 3 }, parent: null })
    const its = await wholeTimeline(under().store, forked)
    const prefix = events.filter((event) => event.epoch < at.epoch || (event.epoch === at.epoch && event.seq <= at.seq))
    expect(its.slice(0, prefix.length).map(({ epoch, seq, kind }) => [epoch, seq, kind])).toEqual(prefix.map(({ epoch, seq, kind }) => [epoch, seq, kind]))
    const again = its.slice(prefix.length).filter(({ kind }) => kind === 'step')
    expect(again.every(({ data }) => data.includes('"name":"c"'))).toBe(true)
    expect(parseJson(its.find(({ kind }) => kind === 'meta')?.data ?? 'null')).toMatchObject({ user: 'bob', forked_from: { fid } })
    expect(await under().store.runs.get(fid)).toEqual(original)
  })

  test('edited inputs and results are what the fork works with, and steps are done again on wish', async () => {
    const fid = await start('plain', { n: 3 })
    await runEnd(under().store, fid)
    const events = await wholeTimeline(under().store, fid)
    const at = finishedStep(events, 'b')
    const id = (name: string) => (parseJson(finishedStep(events, name).data) as { readonly id: string }).id
    const results = await fork(fid, at, { results: { [id('a')]: 7 } })
    expect((await forkEnd(results.fid)).final).toEqual({ type: 'markdown', value: '# 7 30 300' })
    const inputs = await fork(fid, at, { inputs: { n: 5 }, again: [id('b')] })
    expect(await forkEnd(inputs.fid)).toMatchObject({ inputs: { n: 5 }, final: { type: 'markdown', value: '# 3 50 500' } })
    await expect(fork(fid, at, { again: ['nothing#1'] })).rejects.toMatchObject({ code: 'unknown_step' })
    await expect(fork(fid, { epoch: 1, seq: 1 })).rejects.toMatchObject({ code: 'bad_position' })
    await expect(describeFork(deps(), { fid: '0'.repeat(24), at, user: 'bob', edits: {} })).rejects.toMatchObject({ code: 'unknown_run' })
  })

  test('a run whose flow nobody serves any more is not forked, and nothing is left of the attempt', async () => {
    const { store, launcher } = under()
    const fid = newFid(Date.now(), randomBytes(8))
    const about = { flow: 'gone', version: null, user: 'ada', summary: 'Gone', tags: [], parent: null, inputs: {}, createdAt: Date.now() / 1000 }
    await store.runs.create({ fid, ...about, launcher: launcher.name, idempotencyKey: null })
    const at = { epoch: await store.runs.nextEpoch(fid, Date.now()), seq: 2 }
    const records = [
      { ...at, seq: 1, kind: 'attempt', data: { attempt: 1, reason: 'start', owner: 'test', prev: '0-0' } },
      { ...at, kind: 'status', data: { status: 'cancelled' } },
    ]
    await store.writer.write([{ fid, records: records.map((one) => ({ ...one, ts: Date.now() / 1000, step: null, data: JSON.stringify(one.data) })) }])
    await expect(fork(fid, at)).rejects.toMatchObject({ code: 'unknown_flow', message: expect.stringContaining('"gone"') })
    expect((await store.runs.list({ flow: 'gone', limit: 10 })).items.map((run) => run.fid)).toEqual([fid])
  })

  test('a question that was open is asked again, and answered in the fork alone', async () => {
    const fid = await start('asks', { gate: 'fork' })
    const asking = (of: string) => runUntil(under().store, of, 'asking', (run) => run.status === 'awaiting' && run.openLocks === 1)
    const run = await asking(fid)
    const { fid: forked, plan } = await fork(fid, run.lastPosition)
    expect(plan.openLocks).toHaveLength(1)
    await asking(forked)
    const open = async (of: string) => (await under().store.locks.list({ fid: of, status: 'open', limit: 10 })).items.map(({ lid }) => lid)
    expect(await open(fid)).toHaveLength(1)
    expect(await open(forked)).toHaveLength(1)
    for (const one of [forked, fid]) await under().launcher.cancel(one, 'ada')
    for (const one of [forked, fid]) await runEnd(under().store, one)
  })
}

/** All events of a run. */
export async function wholeTimeline(store: ExecutionStore, fid: string): Promise<EventRecord[]> {
  const records: EventRecord[] = []
  for (let after: Position = ORIGIN; ;) {
    const page = await store.reader.read(fid, { after, limit: 1000 })
    records.push(...page.records)
    if (page.caughtUp) return records
    after = page.scanned
  }
}
