// Goal: a run can be started again with the files of an earlier one. Method: schemas as flows give them.
import { expect, test } from 'vitest'
import { withFilesOf } from './earlier-files.ts'

const file = { type: 'string', format: 'file' }
const schema = {
  properties: {
    doc: file,
    more: { type: 'array', items: file },
    maybe: { anyOf: [file, { type: 'null' }] },
    nested: { properties: { f: file } },
    title: { type: 'string' },
  },
}

test('files get the address of the run that has them, everything else stays', () => {
  const inputs = { doc: 'in/a.txt', more: ['in/b', 'f0/in/c'], maybe: 'in/d', nested: { f: 'in/e', g: 'in/x' }, title: 'in/no file', extra: 'in/y', n: 7 }
  expect(withFilesOf('f1', schema, inputs)).toEqual({
    doc: 'f1/in/a.txt',
    more: ['f1/in/b', 'f0/in/c'],
    maybe: 'f1/in/d',
    nested: { f: 'f1/in/e', g: 'in/x' },
    title: 'in/no file',
    extra: 'in/y',
    n: 7,
  })
  expect(withFilesOf('f1', schema, { maybe: null })).toEqual({ maybe: null })
  expect(withFilesOf('f1', {}, [1])).toEqual([1])
})
