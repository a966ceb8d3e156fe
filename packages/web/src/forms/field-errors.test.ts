// Goal: a server's field errors land at their fields. Method: pointers of each form.
import { expect, test } from 'vitest'
import { errorSchemaOf, formErrors } from './field-errors.ts'

const schema = { properties: { city: {}, stops: {}, 'a/b': {} } }

test('pointers become places in the form, with and without the body field in front', () => {
  const fields = [
    { path: '/city', message: 'too short' },
    { path: '/inputs/stops/0/name', message: 'no name' },
    { path: '/a~1b', message: 'odd' },
  ]
  expect(errorSchemaOf(fields, schema)).toEqual({
    city: { __errors: ['too short'] },
    stops: { 0: { name: { __errors: ['no name'] } } },
    'a/b': { __errors: ['odd'] },
  })
})

test('several errors of a field stay together, errors of none are told apart', () => {
  const fields = [
    { path: '/city', message: 'a' },
    { path: '/city', message: 'b' },
    { path: '', message: 'whole' },
  ]
  expect(errorSchemaOf(fields, schema)).toEqual({ city: { __errors: ['a', 'b'] }, __errors: ['whole'] })
  expect(formErrors(fields, schema)).toEqual(['whole'])
})
