// Goal: snapshots come when the policy says and cost no more than their share. Method: the clock of the policy, look by look.
import { expect, test } from 'vitest'
import { SnapshotClock } from './keep-snapshots.ts'

const POLICY = { events: 100, everyMs: 1_800_000, keep: 5 }

test('the first comes as soon as there are events, the next after enough of them or enough time, none when nothing happened', () => {
  const clock = new SnapshotClock(POLICY, null)
  expect(clock.isDue(0, 0)).toBe(false)
  expect(clock.isDue(1, 0)).toBe(true)
  clock.made(1, 0, 5)
  expect(clock.isDue(100, 1_000)).toBe(false)
  expect(clock.isDue(101, 1_000)).toBe(true)
  expect(clock.isDue(1, 10_000_000)).toBe(false)
  expect(clock.isDue(2, 1_799_999)).toBe(false)
  expect(clock.isDue(2, 1_800_000)).toBe(true)
})

test('pruned runs count as something that happened, and a slow store rests twenty times as long as a snapshot took', () => {
  const clock = new SnapshotClock(POLICY, { events: 5_000, at: 0 })
  expect(clock.isDue(4_900, 1_000)).toBe(true)
  clock.made(4_900, 1_000, 3_000)
  expect(clock.isDue(90_000, 60_999)).toBe(false)
  expect(clock.isDue(90_000, 61_000)).toBe(true)
})
