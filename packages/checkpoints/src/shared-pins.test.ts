// Goal: whatever goes on at the same time is under one pin from before its first put to after its last, and no pin outlives what it is for. Method: a store that counts its pins.
import type { Pin } from '@koco/blobs'
import { expect, test } from 'vitest'
import { SharedPins } from './shared-pins.ts'

function counted(fails = false) {
  const held = new Set<Pin>()
  let made = 0
  const pin = async (): Promise<Pin> => {
    made += 1
    if (fails) throw new Error('the place is away')
    const one: Pin = {
      release: async () => {
        held.delete(one)
      },
    }
    held.add(one)
    return one
  }
  return { pins: new SharedPins({ pin }), held, made: () => made }
}

test('what overlaps shares a pin, which goes with the last of it; what comes later has its own', async () => {
  const { pins, held, made } = counted()
  const doors = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
  const seen: number[] = []
  const works = doors.map(({ promise }) =>
    pins.during(async () => {
      seen.push(held.size)
      await promise
      seen.push(held.size)
    }),
  )
  doors[0]?.resolve(undefined)
  await works[0]
  expect(held.size).toBe(1)
  doors[1]?.resolve(undefined)
  await works[1]
  expect([seen, held.size, made()]).toEqual([[1, 1, 1, 1], 0, 1])
  await expect(pins.during(() => Promise.reject(new Error('it failed')))).rejects.toThrow('it failed')
  expect([held.size, made()]).toEqual([0, 2])
})

test('without a pin nothing is begun, and the next tries again', async () => {
  const { pins, made } = counted(true)
  let begun = 0
  const act = async () => {
    begun += 1
  }
  await expect(Promise.all([pins.during(act), pins.during(act)])).rejects.toThrow('the place is away')
  await expect(pins.during(act)).rejects.toThrow('the place is away')
  expect([begun, made()]).toEqual([0, 2])
})
