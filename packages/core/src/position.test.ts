// Goal: positions and run ids are read exactly as written and nothing else is taken for one. Method: round trips, order against numbers, and a table of texts that are none.
import { fid } from '@koco/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isFid, newFid } from './fid.ts'
import { comparePositions, formatPosition, ORIGIN, parsePosition } from './position.ts'

const number = () => fc.oneof(fc.nat({ max: 20 }), fc.maxSafeNat())
const position = () => fc.record({ epoch: number(), seq: number() })

test('a position is read back as it was written', () => {
  fc.assert(
    fc.property(position(), (value) => {
      expect(parsePosition(formatPosition(value))).toEqual(value)
    }),
  )
  expect(parsePosition('0-0')).toEqual(ORIGIN)
})

test.each([
  '',
  '-',
  '1',
  '1-',
  '-1',
  '1--1',
  '+1-1',
  '01-1',
  '1-01',
  '1.0-1',
  '1e3-1',
  ' 1-1',
  '1-1\n',
  '1-1-1',
  '0x1-1',
  '9007199254740992-1',
  '1-9007199254740992',
  '1-*',
  '١-١',
])('is no position: %j', (text) => {
  expect(parsePosition(text)).toBeUndefined()
})

test('order is that of epochs, then of seqs, and total', () => {
  fc.assert(
    fc.property(position(), position(), position(), (a, b, c) => {
      const sign = Math.sign(comparePositions(a, b))
      expect(sign).toBe(a.epoch === b.epoch ? Math.sign(a.seq - b.seq) : Math.sign(a.epoch - b.epoch))
      expect(sign + Math.sign(comparePositions(b, a))).toBe(0)
      if (comparePositions(a, b) <= 0 && comparePositions(b, c) <= 0) expect(comparePositions(a, c)).toBeLessThanOrEqual(0)
    }),
  )
})

test('a new run id starts with its second and is well formed', () => {
  const seconds = fc.nat({ max: 0xffff_ffff })
  fc.assert(
    fc.property(seconds, fc.nat({ max: 999 }), fc.uint8Array({ minLength: 8, maxLength: 12 }), (second, ms, random) => {
      const id = newFid(second * 1000 + ms, random)
      expect(isFid(id)).toBe(true)
      expect(Number.parseInt(id.slice(0, 8), 16)).toBe(second)
    }),
  )
})

test('every 24 lower-case hex digits are a run id', () => {
  fc.assert(
    fc.property(fid(), (id) => {
      expect(isFid(id)).toBe(true)
    }),
  )
})

test.each(['', '../../../../etc/passwd00000', 'A'.repeat(24), '0'.repeat(23), '0'.repeat(25), `${'0'.repeat(24)}\n`, `${'0'.repeat(22)}..`])(
  'is no run id: %j',
  (text) => {
    expect(isFid(text)).toBe(false)
  },
)
