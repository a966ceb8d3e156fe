// Goal: a stream is never with two lanes, and the longest waiting comes first. Method: plain cases on the set itself.
import { expect, test } from 'vitest'
import { HeldStreams } from './held.ts'

const names = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`)

test('few streams go to one lane, many are shared among the free lanes in the order in which they came', () => {
  const held = new HeldStreams()
  held.add(names(3))
  expect(held.take(2, 128)).toEqual(names(3))
  held.forget(names(3))
  held.add(names(10))
  expect(held.take(2, 128)).toEqual(names(5))
  expect(held.take(1, 128)).toEqual(names(10).slice(5))
  expect(held.size).toBe(10)
})

test('a stream that is acquired again while a lane has it stays with that lane', () => {
  const held = new HeldStreams()
  held.add(['a'])
  expect(held.take(1, 128)).toEqual(['a'])
  held.add(['a'])
  expect(held.waiting).toBe(0)
  held.giveBack(['a'])
  expect(held.take(1, 128)).toEqual(['a'])
})

test('a known backlog is worth a lane of its own, a few single events are not', () => {
  const held = new HeldStreams()
  held.add(names(2))
  expect(held.worthALane).toBe(false)
  held.giveBack(['b'])
  expect(held.worthALane).toBe(true)
  held.forget(['b'])
  expect(held.worthALane).toBe(false)
  held.add(names(20))
  expect(held.worthALane).toBe(true)
})
