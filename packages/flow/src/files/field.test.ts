// Goal: whoever reads a flow's JSON Schema finds the values that are files, and nothing else. Method: schemas as authors write them, through the same conversion as a flow's inputs.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineFlow } from '../flow.ts'
import { file, files, fileValues } from './field.ts'
import { isAccepted } from './media-type.ts'

const flow = defineFlow({
  name: 'with-files',
  summary: 'Takes files',
  inputs: z.object({
    title: z.string(),
    report: file({ accept: ['.pdf'] }).describe('The report'),
    more: files({ max: 3 }).optional(),
    folder: files({ folder: true }).default([]),
    nested: z.object({ 'a/b~c': file().nullable() }).optional(),
    pairs: z.array(z.tuple([z.string(), file()])).optional(),
    named: z.record(z.string(), file()).optional(),
    either: z.union([z.object({ kind: z.literal('f'), f: file() }), z.object({ kind: z.literal('n'), n: z.number() })]).optional(),
  }),
  run: () => null,
})

test('the schema says file, what it takes, and the help', () => {
  expect(flow.inputsJsonSchema).toMatchObject({
    required: ['title', 'report'],
    properties: {
      report: { type: 'string', format: 'file', accept: ['.pdf'], description: 'The report' },
      more: { type: 'array', maxItems: 3, items: { type: 'string', format: 'file' } },
      folder: { type: 'array', folder: true },
    },
  })
})

test('files are found wherever they stand', () => {
  const inputs = {
    title: 'no file',
    report: 'r',
    more: ['m0', 'm1'],
    folder: [],
    nested: { 'a/b~c': 'n' },
    pairs: [
      ['x', 'p0'],
      ['y', 'p1'],
    ],
    named: { k: 'v' },
    either: { kind: 'f', f: 'e' },
    unknown: 'u',
  }
  expect(fileValues(flow.inputsJsonSchema, inputs).map(({ pointer, value }) => [pointer, value])).toEqual([
    ['/report', 'r'],
    ['/more/0', 'm0'],
    ['/more/1', 'm1'],
    ['/nested/a~1b~0c', 'n'],
    ['/pairs/0/1', 'p0'],
    ['/pairs/1/1', 'p1'],
    ['/named/k', 'v'],
    ['/either/f', 'e'],
  ])
  expect(fileValues(flow.inputsJsonSchema, { report: 'r' })[0]?.accept).toEqual(['.pdf'])
  for (const wrong of [null, 7, { report: 7, more: 'x' }, []]) expect(fileValues(flow.inputsJsonSchema, wrong)).toEqual([])
})

test('references and schemas without end are read', () => {
  const tree = { $defs: { node: { type: 'object', properties: { f: { format: 'file' }, next: { $ref: '#/$defs/node' } } } }, $ref: '#/$defs/node' }
  expect(fileValues(tree, { f: 'a', next: { f: 'b' } }).map(({ pointer }) => pointer)).toEqual(['/f', '/next/f'])
  expect(fileValues({ $ref: '#' }, 'x')).toEqual([])
})

test('a field takes endings, types and families', () => {
  expect(isAccepted('a/Photo.JPG', ['image/*'])).toBe(true)
  expect(isAccepted('a.csv', ['.CSV'])).toBe(true)
  expect(isAccepted('a.csv', ['text/csv'])).toBe(true)
  expect(isAccepted('a.csv.exe', ['.csv', 'text/csv'])).toBe(false)
})
