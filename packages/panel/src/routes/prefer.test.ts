// Goal: what RFC 7240 allows is understood, anything else asks for no wait. Method: a table of headers.
import { expect, test } from 'vitest'
import { preferredWaitS } from './prefer.ts'

test.each([
  ['wait=10', 10],
  ['respond-async, wait=5', 5],
  ['wait = 7', 7],
  ['WAIT="8"', 8],
  ['wait=0', 0],
  ['wait=100000', 300],
  ['await=3', undefined],
  ['wait=abc', undefined],
  ['wait=-1', undefined],
  ['', undefined],
  [undefined, undefined],
] as const)('%s', (header, seconds) => {
  expect(preferredWaitS(header, 300)).toBe(seconds)
})
