// Goal: a stream is never with two lanes, and the longest waiting comes first. Method: plain cases on the set itself.
import { expect, test } from 'vitest'
import { HeldStreams } from './held.ts'

const names = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`)

test('few streams go to one lane, many are shared among the free lanes in the order in which they came', () => {
  const held = new HeldStreams()
  held.add(names(3), 0)
  expect(held.take(2, 128)).toEqual(names(3))
  held.forget(names(3))
  held.add(names(10), 0)
  expect(held.take(2, 128)).toEqual(names(5))
  expect(held.take(1, 128)).toEqual(names(10).slice(5))
  expect(held.size).toBe(10)
})

test('a stream that is acquired again while a lane has it stays with that lane', () => {
  const held = new HeldStreams()
  held.add(['a'], 0)
  expect(held.take(1, 128)).toEqual(['a'])
  held.add(['a'], 0)
  expect(held.waiting).toBe(0)
  held.giveBack(['a'])
  expect(held.take(1, 128)).toEqual(['a'])
})

test('a known backlog is worth a lane of its own, a few single events are not', () => {
  const held = new HeldStreams()
  held.add(names(2), 0)
  expect(held.worthALane).toBe(false)
  held.giveBack(['b'])
  expect(held.worthALane).toBe(true)
  held.forget(['b'])
  expect(held.worthALane).toBe(false)
  held.add(names(20), 0)
  expect(held.worthALane).toBe(true)
})

test('what is beyond the measure is given to others, the last first to go; within it nothing is', () => {
  const held = new HeldStreams()
  held.add(names(10), 0)
  expect(held.take(2, 4)).toEqual(names(4))
  expect(held.share(12, -1)).toEqual([])
  expect(held.share(7, -1)).toEqual(['s7', 's8', 's9'])
  expect(held.size).toBe(7)
})

test('with the measure full, a backlog that has been held for its turn gives way, a fresh one and a shallow one stay', () => {
  const held = new HeldStreams()
  held.add(['old', 'fresh'], 0)
  held.take(1, 2)
  held.add(['fresh'], 500)
  held.giveBack(['old', 'fresh'])
  held.add(['shallow'], 0)
  expect(held.share(4, 300)).toEqual([])
  expect(held.share(3, 300)).toEqual(['old'])
  expect(held.listWaiting()).toEqual(['fresh', 'shallow'])
})
