// Goal: a three-way merge loses no change that one side made alone, invents nothing, and tells where both made different ones. Method: laws of merging over random texts and edits, and a few that a person can read.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeText } from './merge-text.ts'

const line = fc.constantFrom('a\n', 'b\n', 'c\n', '\n', 'longer line\n', 'ü 🚂\n')
const text = fc.tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('', 'no end')).map(([lines, end]) => lines.join('') + end)
const preference = fc.constantFrom('ours', 'theirs', 'mark')

test('what one side alone changed is taken, whole', () => {
  fc.assert(
    fc.property(text, text, preference, (base, changed, how) => {
      expect(mergeText(base, changed, base, how)).toEqual({ text: changed, conflicts: 0 })
      expect(mergeText(base, base, changed, how)).toEqual({ text: changed, conflicts: 0 })
    }),
  )
})

test('what both changed alike is taken once', () => {
  fc.assert(
    fc.property(text, text, preference, (base, changed, how) => {
      expect(mergeText(base, changed, changed, how)).toEqual({ text: changed, conflicts: 0 })
    }),
  )
})

test('ours one way round is theirs the other way', () => {
  fc.assert(
    fc.property(text, text, text, (base, left, right) => {
      expect(mergeText(base, left, right, 'ours')).toEqual(mergeText(base, right, left, 'theirs'))
      expect(mergeText(base, left, right, 'mark').conflicts).toBe(mergeText(base, right, left, 'mark').conflicts)
    }),
  )
})

test('a preference matters only where there are conflicts', () => {
  fc.assert(
    fc.property(text, text, text, (base, left, right) => {
      const [ours, theirs, marked] = (['ours', 'theirs', 'mark'] as const).map((how) => mergeText(base, left, right, how))
      expect(ours?.conflicts).toBe(marked?.conflicts)
      if (marked?.conflicts === 0) expect([ours, theirs]).toEqual([marked, marked])
      else expect(marked?.text.split('<<<<<<< ours\n').length).toBe((marked?.conflicts ?? 0) + 1)
    }),
  )
})

test('edits of lines that do not touch are all there, without a conflict', () => {
  const lines = fc.uniqueArray(fc.stringMatching(/^[a-z]{3,8}$/), { minLength: 6, maxLength: 20 })
  fc.assert(
    fc.property(lines, fc.nat(), fc.nat(), (words, i, j) => {
      const [left, right] = [i % words.length, j % words.length]
      fc.pre(Math.abs(left - right) > 1)
      const edit = (at: readonly number[]): string => words.map((word, n) => `${at.includes(n) ? word.toUpperCase() : word}\n`).join('')
      expect(mergeText(edit([]), edit([left]), edit([right]), 'mark')).toEqual({ text: edit([left, right]), conflicts: 0 })
    }),
  )
})

test('a conflict is marked as people know it', () => {
  expect(mergeText('1\n2\n3', '1\nleft\n3', '1\nright\n3', 'mark')).toEqual({ text: '1\n<<<<<<< ours\nleft\n=======\nright\n>>>>>>> theirs\n3', conflicts: 1 })
  expect(mergeText('', 'left', 'right', 'mark')).toEqual({ text: '<<<<<<< ours\nleft\n=======\nright\n>>>>>>> theirs\n', conflicts: 1 })
  expect(mergeText('1\n2\n', '1\n', '1\nTWO\n', 'theirs')).toEqual({ text: '1\nTWO\n', conflicts: 1 })
})
