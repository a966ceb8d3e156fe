// Goal: a run's trace is found by its id. Method: examples of the standard's form.
import { expect, test } from 'vitest'
import { parseTraceparent, runTrace, runTraceparent } from './trace.ts'

const FID = '67c1a2f4aabbccddeeff0011'

test("a run's traceparent is made of its id, and read back", () => {
  expect(runTraceparent(FID)).toBe(`00-00000000${FID}-67c1a2f4aabbccdd-01`)
  expect(parseTraceparent(runTraceparent(FID))).toEqual(runTrace(FID))
})

test.each([
  '',
  '00-1-2-01',
  `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
  `01-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
  `00-${'A'.repeat(32)}-${'1'.repeat(16)}-01`,
])('%s is no traceparent', (text) => expect(parseTraceparent(text)).toBeUndefined())
