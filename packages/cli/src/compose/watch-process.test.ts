// Goal: a process that stood still and a clock that was set are told in words. Method: clocks and timers that the test moves.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchProcess } from './watch-process.ts'

let wall = 1_790_000_000_000
let steady = 5000
const said: string[] = []
let end: () => void

beforeEach(() => {
  vi.useFakeTimers()
  said.length = 0
  end = watchProcess({ warn: (_fields: unknown, text?: unknown) => void said.push(String(text)) }, { wall: () => wall, steady: () => steady })
})

afterEach(() => {
  end()
  vi.useRealTimers()
})

/** Lets time go by for both clocks, then one look is taken. */
function pass(ms: number, steppedMs = 0): void {
  wall += ms + steppedMs
  steady += ms
  vi.advanceTimersByTime(500)
}

test('ordinary time is not worth a word', () => {
  for (let round = 0; round < 10; round++) pass(500 + round * 100)
  expect(said).toEqual([])
})

test('standing still is told with how long', () => {
  pass(17_500)
  pass(500)
  expect(said).toEqual([expect.stringContaining('stood still for 17.0 s')])
})

test('a clock that was set is told with the direction, once a step', () => {
  pass(500, 60_000)
  pass(500)
  pass(500, -30_000)
  expect(said).toEqual([expect.stringContaining('set 60.0 s ahead'), expect.stringContaining('set 30.0 s back')])
})
