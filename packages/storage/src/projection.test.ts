// Goal: the rules by which epochs follow each other, one by one. Method: the pure fold on hand-made records, among them what only a broken transport would deliver.
import type { EventRecord } from '@koco/core'
import { ORIGIN } from '@koco/core'
import { expect, test } from 'vitest'
import { attempt, lines, opening, positions, record, someFid, START, status } from './contract/scenario.ts'
import { foldRun, unknownRun } from './projection.ts'

const E1 = START * 1000
const E2 = E1 + 10
const E3 = E1 + 20

function fold(records: readonly EventRecord[], before: readonly EventRecord[] = []) {
  const state = before.length === 0 ? unknownRun(someFid()) : foldRun(unknownRun(someFid()), new Map(), before).state
  const result = foldRun(state, new Map(), records)
  return { ...result, top: positions([result.state.lastPosition])[0], fenced: positions(result.alarms.map(({ position }) => position)) }
}

test('a hole stops the fold, and says how many wait', () => {
  expect(fold([...opening(E1), ...lines(E1, 7, 3)])).toMatchObject({ top: `${E1}-5`, waiting: 3, closed: [], alarms: [] })
})

test('a seal closes its epoch, and wins over what that epoch wrote behind it', () => {
  const records = [...opening(E1), ...lines(E1, 6, 4), attempt(E2, { epoch: E1, seq: 7 })]
  const result = fold(records.slice(7), records.slice(0, 7))
  expect(result).toMatchObject({ top: `${E2}-1`, closed: [{ epoch: E1, lastSeq: 7 }], fenced: [`${E1}-8`, `${E1}-9`], waiting: 0 })
})

test('what was folded above a seal that came late stays, with an alarm', () => {
  const result = fold([attempt(E2, { epoch: E1, seq: 5 })], [...opening(E1), ...lines(E1, 6, 2)])
  expect(result).toMatchObject({ top: `${E2}-1`, closed: [{ epoch: E1, lastSeq: 7 }], fenced: [`${E1}-7`] })
  expect(result.state.events).toBe(8)
})

test('an epoch whose seal names an event that is not there waits', () => {
  expect(fold([attempt(E2, { epoch: E1, seq: 9 }), ...lines(E2, 2, 2)], opening(E1))).toMatchObject({ top: `${E1}-5`, waiting: 3 })
})

test('an epoch that does not know the one before it follows when that one does not go on', () => {
  const before = [...opening(E1), attempt(E2, { epoch: E1, seq: 5 }), ...lines(E2, 2, 1)]
  expect(fold([attempt(E3, { epoch: E1, seq: 5 })], before)).toMatchObject({ top: `${E3}-1`, closed: [{ epoch: E2, lastSeq: 2 }], fenced: [`${E2}-2`] })
  const withNext = [...lines(E2, 3, 1), attempt(E3, { epoch: E1, seq: 5 })]
  expect(fold(withNext, before)).toMatchObject({ top: `${E3}-1`, closed: [{ epoch: E2, lastSeq: 3 }] })
})

test('a declared loss within an epoch is stepped over, up to what is there after all', () => {
  const lost = { from: `${E1}-6`, to: `${E1}-9` }
  const records = [...lines(E1, 8, 3), attempt(E2, { epoch: E1, seq: 10 }, { lost })]
  const result = fold(records, opening(E1))
  expect(result).toMatchObject({ top: `${E2}-1`, waiting: 0, holes: [{ from: { epoch: E1, seq: 6 }, to: { epoch: E1, seq: 7 } }] })
  expect(result.state.events).toBe(9)
})

test('a loss that was not one leaves no hole', () => {
  const lost = { from: `${E1}-6`, to: `${E1}-7` }
  expect(fold([...lines(E1, 6, 2), attempt(E2, { epoch: E1, seq: 7 }, { lost })], opening(E1))).toMatchObject({
    holes: [],
    closed: [{ epoch: E1, lastSeq: 7 }],
  })
})

test('a loss of everything but the next epoch is a hole from the first event on', () => {
  const lost = { from: `${E1}-1`, to: `${E1}-4` }
  const result = fold([attempt(E2, ORIGIN, { lost }), status(E2, 2, 'running')])
  expect(result).toMatchObject({ top: `${E2}-2`, waiting: 0, holes: [{ to: { epoch: E1, seq: 4 } }] })
})

test('a first event that is no seal is taken for one that knows nothing', () => {
  expect(fold(lines(E1, 1, 2))).toMatchObject({ top: `${E1}-2` })
  expect(fold([{ ...attempt(E2, { epoch: 0, seq: 0 }), data: '{"prev":7}' }], opening(E1))).toMatchObject({ top: `${E2}-1` })
})

test('new records at or below the last position are fenced', () => {
  expect(fold(lines(E1 - 5, 1, 2), opening(E1))).toMatchObject({ top: `${E1}-5`, fenced: [`${E1 - 5}-1`, `${E1 - 5}-2`], waiting: 0 })
})

test('data that no version can read is poison for a kind that is looked at, and an alarm when it is JSON of another form', () => {
  expect(() => fold([{ ...status(E1, 1, 'running'), data: '{' }])).toThrow(expect.objectContaining({ name: 'PoisonError', code: 'broken_event' }))
  expect(fold([...opening(E1), { ...record(E1, 6, 'model', {} as never), data: 'null' }]).alarms).toMatchObject([{ alarm: 'impossible' }])
})
