// Goal: what the form library would do to a person's disadvantage it is kept from. Method: small schemas.
import { expect, test } from 'vitest'
import { formSchema } from './form-schema.ts'

test('a yes that must be given is asked for, not given beforehand', () => {
  expect(formSchema({ properties: { agreed: { type: 'boolean', const: true } } })).toEqual({ properties: { agreed: { type: 'boolean', enum: [true] } } })
  expect(formSchema({ properties: { by: { type: 'string', const: 'post' } } })).toEqual({ properties: { by: { type: 'string', const: 'post' } } })
})

test('several of a few choices are chosen; a list of anything else stays a list', () => {
  const few = { type: 'array', items: { type: 'string', enum: ['a', 'b'] } }
  const free = { type: 'array', items: { type: 'string' } }
  expect(formSchema({ title: 'T', properties: { few, free } })).toEqual({ properties: { few: { ...few, uniqueItems: true }, free } })
})
