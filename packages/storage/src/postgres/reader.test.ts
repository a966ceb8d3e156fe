// Goal: the pattern for a text search finds the text in any case and nothing else, for every text. Method: JavaScript's own regular expressions read the pattern alike.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyCasePattern } from './reader.ts'

test('a text is found in upper and lower case', () => {
  const pattern = new RegExp(anyCasePattern('say \\"ärger\\"'))
  for (const text of ['say \\"ärger\\"', 'x SAY \\"ÄRGER\\" x']) expect(pattern.test(text)).toBe(true)
  expect(pattern.test('say ärger')).toBe(false)
})

test('no character means anything but itself', () => {
  const texts = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 }).map((text) => text.toLowerCase())
  fc.assert(
    fc.property(texts, texts, (wanted, other) => {
      const pattern = new RegExp(anyCasePattern(wanted))
      expect(pattern.test(other.toUpperCase())).toBe(other.includes(wanted))
      expect(pattern.test(`${other}${wanted}`)).toBe(true)
    }),
  )
})
