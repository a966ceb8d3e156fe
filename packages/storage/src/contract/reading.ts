// Goal: a reader sees the contiguous prefix, page by page, in one order, whatever it filters. Method: known runs, read with every kind of query.
import type { Position } from '@koco/core'
import { ORIGIN } from '@koco/core'
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import { lines, opening, plainRun, positions, record, someFid, START, timeline } from './scenario.ts'

const E1 = START * 1000

/** The rules of EventReader. */
export function describeReading(store: () => ExecutionStore): void {
  test('an unknown run has no events, and so has a text that is no fid', async () => {
    const empty = { records: [], scanned: ORIGIN, caughtUp: true, lost: [] }
    expect(await store().reader.read(someFid(), { after: ORIGIN, limit: 10 })).toEqual(empty)
    expect(await store().reader.read('../x', { after: ORIGIN, limit: 10 })).toEqual(empty)
  })

  test('pages of every size give the same timeline', async () => {
    const fid = someFid()
    const records = plainRun(E1, 43)
    await store().writer.write([{ fid, records: records.slice(0, 30) }])
    await store().writer.write([{ fid, records: records.slice(30) }])
    for (const limit of [1, 2, 7, 49, 50, 51, 1000]) expect(await timeline(store(), fid, limit)).toEqual(records)
  })

  test('a cursor is exclusive, may lie between epochs, and beyond the end', async () => {
    const fid = someFid()
    await store().writer.write([{ fid, records: opening(E1) }])
    const read = async (after: Position) => await store().reader.read(fid, { after, limit: 10 })
    expect(positions((await read({ epoch: E1, seq: 3 })).records)).toEqual([`${E1}-4`, `${E1}-5`])
    expect(await read({ epoch: E1, seq: 5 })).toEqual({ records: [], scanned: { epoch: E1, seq: 5 }, caughtUp: true, lost: [] })
    expect((await read({ epoch: E1 - 1, seq: 900 })).records).toHaveLength(5)
    expect((await read({ epoch: E1 + 1, seq: 0 })).records).toEqual([])
  })

  test('caughtUp says whether more is there', async () => {
    const fid = someFid()
    await store().writer.write([{ fid, records: opening(E1) }])
    expect(await store().reader.read(fid, { after: ORIGIN, limit: 4 })).toMatchObject({ caughtUp: false })
    expect(await store().reader.read(fid, { after: ORIGIN, limit: 5 })).toMatchObject({ caughtUp: true })
  })

  test('kinds and text filter', async () => {
    const fid = someFid()
    const warning = record(E1, 9, 'warning', { type: 'text', value: 'Say "Ärger"\nnow' })
    await store().writer.write([{ fid, records: [...opening(E1), ...lines(E1, 6, 3), warning, ...lines(E1, 10, 2)] }])
    const read = async (query: { kinds?: string[]; q?: string }) => positions((await store().reader.read(fid, { after: ORIGIN, limit: 100, ...query })).records)
    expect(await read({ kinds: ['stdout'] })).toEqual([6, 7, 8, 10, 11].map((seq) => `${E1}-${seq}`))
    expect(await read({ kinds: ['warning', 'meta'] })).toEqual([`${E1}-4`, `${E1}-9`])
    expect(await read({ kinds: ['nonsense'] })).toEqual([])
    expect(await read({ q: 'LINE 7' })).toEqual([`${E1}-7`])
    expect(await read({ q: 'say "' })).toEqual([`${E1}-9`])
    expect(await read({ q: 'ärger"\nnow' })).toEqual([`${E1}-9`])
    expect(await read({ q: '100%_' })).toEqual([])
    expect(await read({ q: 'line', kinds: ['warning'] })).toEqual([])
  })

  test('filtered pages come to an end and give each match once', async () => {
    const fid = someFid()
    const records = plainRun(E1, 500)
    await store().writer.write([{ fid, records }])
    const found: string[] = []
    let after: Position = ORIGIN
    for (let pages = 0; pages < 1000; pages++) {
      const page = await store().reader.read(fid, { after, limit: 3, q: '0 of' })
      found.push(...positions(page.records))
      if (page.caughtUp) break
      after = page.scanned
    }
    expect(found).toEqual(positions(records.filter((each) => each.data.includes('0 of'))))
  })

  test('a page holds about 1 MiB and never less than one event', async () => {
    const fid = someFid()
    const big = 'x'.repeat(250_000)
    const records = [...opening(E1), ...[6, 7, 8, 9, 10, 11, 12, 13].map((seq) => record(E1, seq, 'stdout', { text: big }))]
    await store().writer.write([{ fid, records }])
    const page = await store().reader.read(fid, { after: ORIGIN, limit: 1000 })
    expect(page.caughtUp).toBe(false)
    expect(page.records.length).toBeGreaterThan(7)
    expect(page.records.length).toBeLessThan(12)
    expect(await timeline(store(), fid, 1000)).toEqual(records)
  })

  test('readers beside a writer see prefixes only', async () => {
    const fid = someFid()
    const records = plainRun(E1, 300)
    const expected = positions(records)
    let writing = true
    const reading = (async () => {
      for (let reads = 0; writing && reads < 10_000; reads++) {
        const seen = positions((await store().reader.read(fid, { after: ORIGIN, limit: 1000 })).records)
        expect(seen).toEqual(expected.slice(0, seen.length))
      }
    })()
    for (let i = 0; i < records.length; i += 11) await store().writer.write([{ fid, records: records.slice(i, i + 11) }])
    writing = false
    await reading
    expect(await timeline(store(), fid, 100)).toEqual(records)
  })
}
