// Goal: runs of one flow can be told apart by a short line, whatever their inputs are. Method: examples, and a property over inputs cut anywhere.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inputsInShort, SHORT_FROM_CHARS } from './inputs-in-short.ts'

const short = (inputs: unknown): string => inputsInShort(JSON.stringify(inputs))

test('names and values, in their order; nothing for what is empty', () => {
  expect(short({ city: 'Lisbon', days: 3, dry: false, note: '', more: null, list: [], stops: ['a'], at: { x: 1 } })).toBe(
    'city=Lisbon, days=3, dry=false, stops=[…], at={…}',
  )
  expect(short({})).toBe('')
  expect(short(null)).toBe('')
  expect(short('a\n b')).toBe('a b')
})

test('what is named like a secret is not shown', () => {
  expect(short({ user: 'ann', password: 'p', apiKey: 'k', access_token: 't' })).toBe('user=ann, password=•••, apiKey=•••, access_token=•••')
})

test('a turn of a conversation is what was said, never the ids of its session', () => {
  const turn = { session_id: '0123456789ab', revision: 7, model: 'tiny' }
  expect(short({ said: 'Where is\n the train?', ...turn })).toBe('Where is the train?')
  expect(short({ said: 'word '.repeat(40), ...turn })).toHaveLength(120)
  expect(short({ said: '', ...turn })).toBe('model=tiny')
  expect(short({ session_id: '0123456789ab', revision: 7 })).toBe('')
  expect(short({ session_id: '0123456789ab', said: 'x' })).toBe('session_id=0123456789ab, said=x')
})

test('long values and many inputs are cut', () => {
  expect(short({ text: 'x'.repeat(5_000), n: 1 })).toBe(`text=${'x'.repeat(39)}…`)
  expect(short({ n: 1, big: { text: 'x'.repeat(5_000) }, m: 2 })).toBe('n=1')
  expect(short(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`name${n}`, n]))).length).toBeLessThan(130)
})

test('any beginning of any inputs gives a short line', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(), (text, at) => {
      const line = inputsInShort(text.slice(0, at % (text.length + 1)))
      expect(line.length).toBeLessThan(130)
      expect(line).not.toContain('\n')
    }),
  )
  expect(SHORT_FROM_CHARS).toBeGreaterThan(1_000)
})
