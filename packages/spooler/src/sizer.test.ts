// Goal: deep streams are read deep and few at a time, shallow ones many at a time, and large events never fill more than a write. Method: feed what reads gave.
import { expect, test } from 'vitest'
import { BatchSizer } from './sizer.ts'

const learn = (sizer: BatchSizer, streams: number, each: number, more: boolean, bytes = 430) => {
  const batch = { runs: [], foreign: [], acks: [], events: streams * each, bytes: streams * each * bytes }
  const read = Array.from({ length: streams }, (_, index) => ({ fid: String(index), entries: [], more }))
  sizer.learn(batch, read, each)
}

test('shallow streams are taken many at a time', () => {
  const sizer = new BatchSizer(500)
  for (let round = 0; round < 5; round++) learn(sizer, 100, 1, false)
  expect(sizer.streams).toBe(128)
})

test('deep streams are soon taken few at a time, each as deep as a batch allows, and no longer once they are shallow', () => {
  const sizer = new BatchSizer(500)
  for (let round = 0; round < 8; round++) learn(sizer, sizer.streams, sizer.countEach(sizer.streams), true)
  expect(sizer.streams).toBe(4)
  expect(sizer.countEach(4)).toBe(500)
  for (let round = 0; round < 30; round++) learn(sizer, 4, 1, false)
  expect(sizer.streams).toBe(128)
})

test('large events are read few at a time from the next batch on', () => {
  const sizer = new BatchSizer(500)
  learn(sizer, 4, 10, false, 256 * 1024)
  expect(4 * sizer.countEach(4) * 256 * 1024).toBeLessThanOrEqual(8 * 1024 * 1024)
})
