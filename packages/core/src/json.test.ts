// Goal: every value gets through JSON in one way that every store takes, and equal values give equal texts. Method: properties, and the inputs that broke stores before.
import { json, unsafeText } from '@koco/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, isJsonObject, parseJson, toJson, toJsonText } from './json.ts'

test.each<readonly [string, unknown, string]>([
  ['NUL becomes the replacement character', 'a\u0000b', '"a\ufffdb"'],
  ['a lone high surrogate too', 'a\ud800', '"a\ufffd"'],
  ['a lone low surrogate too', '\udfffb', '"\ufffdb"'],
  ['surrogates in the wrong order are two lone ones', '\udc00\ud800', '"\ufffd\ufffd"'],
  ['a pair stays', '🧭', '"🧭"'],
  ['in keys as in values', { '\u0000\ud800': 1 }, '{"\ufffd\ufffd":1}'],
  ['the letters \\u0000 stay letters', '\\u0000', String.raw`"\\u0000"`],
  ['the letters \\ud800 stay letters', '\\ud800 \u0000', String.raw`"\\ud800 ` + '\ufffd"'],
  ['a backslash before NUL', '\\\u0000', '"\\\\\ufffd"'],
  ['other control characters stay', '\u0001\n', String.raw`"\u0001\n"`],
  ['undefined is null', undefined, 'null'],
  ['a function is null', () => 1, 'null'],
  ['non-finite numbers are null', [Number.NaN, Number.POSITIVE_INFINITY, -0], '[null,null,0]'],
  ['a bigint is its decimal text', { n: 2n ** 80n }, '{"n":"1208925819614629174706176"}'],
  ['a bigint at the top too', 7n, '"7"'],
  ['a date is its ISO text', new Date(0), '"1970-01-01T00:00:00.000Z"'],
])('%s', (_name, value, text) => {
  expect(toJsonText(value)).toBe(text)
})

test('a cycle throws TypeError, with a bigint in it too', () => {
  const cycle: Record<string, unknown> = { n: 1n }
  cycle['self'] = cycle
  expect(() => toJsonText(cycle)).toThrow(TypeError)
  delete cycle['n']
  expect(() => toJsonText(cycle)).toThrow(TypeError)
})

test('an error that a toJSON method throws comes through as it is', () => {
  const broken = {
    toJSON: () => {
      throw new RangeError('mine')
    },
  }
  expect(() => toJsonText(broken)).toThrow(RangeError)
})

test('a safe value is left as JSON.stringify has it, and comes back equal', () => {
  fc.assert(
    fc.property(json(), (value) => {
      expect(toJsonText(value)).toBe(JSON.stringify(value))
      expect(toJson(value)).toEqual(value)
    }),
  )
})

test('any text comes out well-formed, without NUL, otherwise the same', () => {
  fc.assert(
    fc.property(unsafeText(), (text) => {
      expect(parseJson(toJsonText(text))).toBe(text.toWellFormed().replaceAll('\u0000', '\ufffd'))
    }),
  )
})

test('canonical texts are equal exactly when values are, whatever the order of keys', () => {
  const shuffled = fc
    .dictionary(fc.string(), json(), { maxKeys: 6 })
    .chain((object) =>
      fc.shuffledSubarray(Object.entries(object), { minLength: Object.keys(object).length }).map((entries) => [object, Object.fromEntries(entries)] as const),
    )
  fc.assert(
    fc.property(shuffled, ([one, other]) => {
      expect(canonicalJson(one)).toBe(canonicalJson(other))
      expect(parseJson(canonicalJson(one))).toEqual(toJson(one))
    }),
  )
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}')
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]))
})

test('only plain objects count as JSON objects', () => {
  expect([{}, { a: 1 }, null, [], 'x', 1, undefined].map(isJsonObject)).toEqual([true, true, false, false, false, false, false])
})
