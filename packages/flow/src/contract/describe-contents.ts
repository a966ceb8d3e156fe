import { randomBytes } from 'node:crypto'
import { contentOf, EVENT_BYTES_MAX, isEnded, must, parseJson, type EventRecord } from '@koco/core'
import { expect, test } from 'vitest'
import { wholeData } from '../contents/records.ts'
import { forkRun } from '../fork/fork-run.ts'
import { wholeTimeline } from './describe-fork.ts'
import { largeText, type Workshop } from './flows.ts'
import { runEnd, runUntil, type LauncherUnderTest } from './under-test.ts'

/** What every launcher must do with results that are too large for their events. */
export function describeLargeResults(under: () => LauncherUnderTest, shop: Workshop): void {
  const start = async (n: number, gate: string): Promise<string> =>
    (await under().launcher.start({ flow: 'reads', inputs: { n, gate }, user: 'ada', idempotencyKey: null })).fid
  const answer = async (fid: string): Promise<void> => {
    await runUntil(under().store, fid, 'awaiting with a lock', (run) => run.status === 'awaiting' && run.openLocks === 1)
    const { items } = await under().store.locks.list({ fid, limit: 1 })
    await under().launcher.answer(fid, must(items[0], 'the lock').lid, { go: true }, 'ada')
  }
  const results = async (fid: string): Promise<EventRecord[]> =>
    (await wholeTimeline(under().store, fid)).filter(({ kind, data }) => kind === 'step' && data.includes('"finished"'))
  const end = (n: number): string => `${n * 1024} true ${largeText(n).slice(-20)}`

  test('a result above 64 KiB lies in the content store once, its events name it, and a later try has it as it was', async () => {
    const fid = await start(600, 'large')
    await answer(fid)
    expect(await runEnd(under().store, fid)).toMatchObject({ status: 'finished', final: { value: end(600) } })
    expect(shop.done.filter((done) => done === 'large read')).toHaveLength(1)
    const [read, again] = await results(fid)
    const content = must(contentOf(must(read, 'the result')), 'its content')
    expect(content.bytes).toBe(Buffer.byteLength(JSON.stringify(largeText(600))))
    expect(content.bytes).toBeGreaterThan(EVENT_BYTES_MAX)
    expect(content.stored).toBeLessThan(content.bytes)
    expect(contentOf(must(again, 'the second'))).toEqual(content)
    expect(must(read, 'the result').data.length).toBeLessThan(500)
    expect(await wholeData(under().contents, must(read, 'the result'))).toMatchObject({ phase: 'finished', name: 'read', result: largeText(600) })
    expect(await under().store.contents.get(fid, content.sha256)).toEqual(content)
  })

  test('up to 64 KiB it stays in its event', async () => {
    const fid = await start(20, 'small')
    await answer(fid)
    expect(await runEnd(under().store, fid)).toMatchObject({ status: 'finished', final: { value: end(20) } })
    expect((await results(fid)).map((record) => [contentOf(record), parseJson(record.data)])).toMatchObject([
      [undefined, { result: largeText(20) }],
      [undefined, { result: largeText(20) }],
    ])
  })

  test('a fork takes large results over, edited ones too', async () => {
    const fid = await start(90, 'fork')
    await answer(fid)
    await runEnd(under().store, fid)
    const [read] = await results(fid)
    const deps = { ...under(), clock: { now: Date.now }, randomBytes, copyFiles: async () => undefined }
    const forked = async (edits: object): Promise<string> => {
      const { fid: id } = await forkRun(deps, { fid, at: must(read, 'the result'), user: 'bob', edits })
      await runUntil(under().store, id, 'a question of its own', (run) => run.attempt > 1 && run.openLocks === 1)
      await answer(id)
      await runUntil(under().store, id, 'its end', (run) => isEnded(run.status) && run.attempt > 1)
      return id
    }
    expect((await under().store.runs.get(await forked({})))?.final?.value).toBe(end(90))
    const edited = await forked({ results: { read: largeText(300) } })
    expect((await under().store.runs.get(edited))?.final?.value).toBe(end(300))
    expect((await results(edited)).map((record) => contentOf(record)?.bytes)).toEqual([1, 1].map(() => Buffer.byteLength(JSON.stringify(largeText(300)))))
    expect(shop.done.filter((done) => done === 'fork read')).toHaveLength(1)
  })
}
