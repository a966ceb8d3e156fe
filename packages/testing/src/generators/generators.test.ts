// Goal: what the generators call legal is legal, so that a failure elsewhere is the other's fault. Method: fold every generated run with core's rules and judge it by the checker.
import fc from 'fast-check'
import { decodeEvent, encodeEvent, EVENT_KINDS, evolve, must, newRunState, parseJson, toJson } from '@koco/core'
import { expect, test } from 'vitest'
import { checkRun } from '@koco/core/checker'
import { newEvent } from './events.ts'
import { plainRun, recordedRun, recordedRuns } from './recorded-runs.ts'
import type { RecordedRun } from './run-script.ts'
import { json, unsafeText } from './values.ts'

function fold({ run, timeline }: RecordedRun) {
  return timeline.reduce((state, record) => evolve(state, must(decodeEvent(run.fid, record), record.kind)), newRunState(run))
}

function judge({ run, records, timeline }: RecordedRun) {
  return checkRun({ fid: run.fid, acknowledged: records, stored: records, timeline })
}

test('every generated run folds and satisfies the checker', () => {
  fc.assert(
    fc.property(recordedRuns(), (recorded) => {
      expect(judge(recorded)).toEqual([])
      expect(fold(recorded).events).toBe(recorded.timeline.length)
    }),
  )
})

test('a seeded run is the same every time and has all that runs can have', () => {
  const recorded = recordedRun(7, 3_000)
  expect(recordedRun(7, 3_000)).toEqual(recorded)
  expect(recordedRun(8, 3_000)).not.toEqual(recorded)
  expect(judge(recorded)).toEqual([])
  expect(new Set(recorded.records.map((record) => record.kind))).toEqual(new Set(EVENT_KINDS))
  expect(recorded.records.length).toBeGreaterThan(recorded.timeline.length)
  expect(recorded.records.some((record) => record.data.includes('"lost"'))).toBe(true)
})

test('a plain run has exactly as many events of about the size asked for', () => {
  const recorded = plainRun(1, 1_000)
  expect(recorded.records).toHaveLength(1_000)
  expect(fold(recorded).status).toBe('finished')
  const sizes = recorded.records.filter((record) => record.kind === 'result').map((record) => record.data.length)
  expect(sizes.reduce((sum, size) => sum + size, 0) / sizes.length).toBeCloseTo(430, -1.5)
})

test('every generated event encodes', () => {
  fc.assert(
    fc.property(newEvent(), (event) => {
      expect(parseJson(encodeEvent(event, 'f').data)).toEqual(toJson(event.data))
    }),
  )
})

test('generated JSON values survive one trip through JSON unchanged, and unsafe texts are really unsafe', () => {
  fc.assert(
    fc.property(json(), (value) => {
      expect(toJson(value)).toEqual(value)
    }),
  )
  expect(fc.sample(unsafeText(), 500).some((text) => text.includes('\u0000') || !text.isWellFormed())).toBe(true)
})
