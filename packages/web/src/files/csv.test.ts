// Goal: tables come out as they went in, whatever their fields hold. Method: a table of cases, and a round trip by property.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseTable } from './csv.ts'

test.each([
  [
    'a,b\n1,2\n',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  [
    'a;b;c\r\n1;2,5;3',
    [
      ['a', 'b', 'c'],
      ['1', '2,5', '3'],
    ],
  ],
  [
    'a\tb\n"x\ty"\t',
    [
      ['a', 'b'],
      ['x\ty', ''],
    ],
  ],
  [
    '\uFEFFname,said\nAnn,"She said ""no"",\nthen left"\n',
    [
      ['name', 'said'],
      ['Ann', 'She said "no",\nthen left'],
    ],
  ],
  ['one\n\ntwo\n', [['one'], ['two']]],
  ['a,"cut off', [['a', 'cut off']]],
  ['', []],
])('%j', (text, rows) => expect(parseTable(text, 100)).toEqual(rows))

test('any fields survive being quoted', () => {
  const field = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', '\r', ' ', 'é'), maxLength: 8 })
  const table = fc.integer({ min: 2, max: 5 }).chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width }), { maxLength: 6 }))
  fc.assert(
    fc.property(table, (rows) => {
      const head = rows.length === 0 ? [] : [(rows[0] ?? []).map((_, index) => `h${index}`)]
      const text = [...head, ...rows].map((row) => row.map((one) => (/^h\d$/.test(one) ? one : `"${one.replaceAll('"', '""')}"`)).join(',')).join('\n')
      expect(parseTable(text, 100)).toEqual([...head, ...rows])
    }),
  )
})

test('no more rows than wanted', () => expect(parseTable('a\n'.repeat(1000), 3)).toHaveLength(3))
