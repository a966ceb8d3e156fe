// Goal: news never moves what a person reads. Method: small lists, and a property: the order of the rows that were there stays.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RunRow } from '../api/shapes.ts'
import { letIn, mergeRuns } from './merge.ts'
import { filterOf, runsSearch } from './search.ts'

function row(fid: string, created: number, part: Partial<RunRow> = {}): RunRow {
  const nothing = {
    version: null,
    parent: null,
    started_at: null,
    finished_at: null,
    wake_at: null,
    runtime_s: null,
    locks: null,
    final: null,
    error: null,
    usage: null,
    progress: null,
    read_at: 0,
  }
  return {
    ...nothing,
    fid,
    flow: 'hello',
    status: 'running',
    user: 'ann',
    summary: 'Say hello',
    about: '',
    tags: [],
    created_at: created,
    deaths: 0,
    attempt: 1,
    events: 1,
    last_position: '1-1',
    open_locks: 0,
    ...part,
  }
}

test('a known run changes in place, also when it leaves the filter; a new one waits', () => {
  const rows = [row('c', 3), row('b', 2), row('a', 1)]
  const changed = [row('b', 2, { status: 'finished', events: 9 }), row('d', 4), row('e', 5, { status: 'finished' })]
  const merged = mergeRuns(rows, changed, { status: ['running'] }, true)
  expect(merged.rows.map((one) => [one.fid, one.status])).toEqual([
    ['c', 'running'],
    ['b', 'finished'],
    ['a', 'running'],
  ])
  expect(merged.fresh.map((one) => one.fid)).toEqual(['d'])
  expect(letIn(merged.rows, merged.fresh).map((one) => one.fid)).toEqual(['d', 'c', 'b', 'a'])
})

test('a run below the pages that were read is passed over', () => {
  expect(mergeRuns([row('c', 30)], [row('a', 10)], {}, false).fresh).toEqual([])
  expect(mergeRuns([row('c', 30)], [row('a', 10)], {}, true).fresh).toHaveLength(1)
})

test('whatever changes, the rows keep their order and number', () => {
  const change = fc.record({ index: fc.nat(12), events: fc.nat(50) })
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const rows = Array.from({ length: 8 }, (_, index) => row(`f${index}`, 100 - index))
      const merged = mergeRuns(
        rows,
        changes.map(({ index, events }) => row(`f${index}`, 100 - index, { events })),
        {},
        true,
      )
      expect(merged.rows.map((one) => one.fid)).toEqual(rows.map((one) => one.fid))
    }),
  )
})

test('the URL carries the filter and drops what is no status', () => {
  expect(filterOf(runsSearch({ status: 'running,nonsense,error', q: 12, flow: '' }), 0)).toEqual({ status: ['running', 'error'], q: '12' })
})

test('times of the URL: counted back from now, or days of the person, the last one included', () => {
  expect(filterOf(runsSearch({ since: '24h', tag: 'a' }), 100_000)).toEqual({ tag: 'a', created_from: 13_600 })
  const { created_from: from = 0, created_to: to = 0 } = filterOf(runsSearch({ from: '2026-03-01', to: '2026-03-02' }), 0)
  expect(new Date(from * 1000).toDateString()).toBe('Sun Mar 01 2026')
  expect(new Date(to * 1000).toDateString()).toBe('Tue Mar 03 2026')
  expect(runsSearch({ from: 'yesterday', since: 'ages', archived: 'no' })).toEqual({})
})
