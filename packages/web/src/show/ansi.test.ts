// Goal: terminal colours are shown and nothing else of an escape gets through. Method: known lines, and a property over random control text.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ansiSpans, plainText } from './ansi.ts'

const PLAIN = { color: null, background: null, bold: false, dim: false, underline: false }

test('keeps colours and weight until they are reset', () => {
  expect(ansiSpans('a\u001b[1;31mb\u001b[0mc')).toEqual([
    { text: 'a', ...PLAIN },
    { text: 'b', ...PLAIN, color: 1, bold: true },
    { text: 'c', ...PLAIN },
  ])
  expect(ansiSpans('\u001b[38;5;9mx\u001b[38;2;1;2;3my')[1]).toMatchObject({ text: 'y', color: 9 })
})

test('grounds and lines below are shown, and end by themselves or with all else', () => {
  expect(ansiSpans('\u001b[41;4ma\u001b[24mb\u001b[49mc\u001b[103md\u001b[48;5;12me\u001b[0mf')).toEqual([
    { text: 'a', ...PLAIN, background: 1, underline: true },
    { text: 'b', ...PLAIN, background: 1 },
    { text: 'c', ...PLAIN },
    { text: 'd', ...PLAIN, background: 11 },
    { text: 'e', ...PLAIN, background: 12 },
    { text: 'f', ...PLAIN },
  ])
})

test('drops titles, cursor moves, bells and marks that reorder text', () => {
  expect(plainText('\u001b]0;title\u0007a\u001b[2Jb\u0007\u202ec\u200f')).toBe('abc')
  expect(ansiSpans('\u001b]8;;http://x\u001b\\link').map((span) => span.text)).toEqual(['link'])
})

test('no control character survives, whatever comes in; the number of spans is bounded', () => {
  const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\u001b[', '\u001b]', '31m', '\u202e', ';', '\u0007'))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = ansiSpans(pieces.join(''))
        .map((span) => span.text)
        .join('')
      // oxlint-disable-next-line eslint/no-control-regex -- the very characters that must not be there
      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    }),
  )
  expect(ansiSpans('\u001b[31mx\u001b[0my'.repeat(10_000)).length).toBeLessThan(500)
})
