// Goal: what a person types becomes what the flow's schema takes. Method: a table of texts and schemas.
import { expect, test } from 'vitest'
import { parseInputs } from './inputs.ts'

const schema = {
  type: 'object',
  properties: {
    city: { type: 'string' },
    days: { type: 'integer' },
    sure: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    limit: { anyOf: [{ type: 'number' }, { type: 'null' }] },
  },
}

test('the schema says what a value is; := is JSON whatever it says', () => {
  expect(parseInputs(['city=12', 'days=3', 'sure=true', 'tags=["a"]', 'limit=null', 'other=x=y', 'raw:={"a":1}'], schema)).toEqual({
    city: '12',
    days: 3,
    sure: true,
    tags: ['a'],
    limit: null,
    other: 'x=y',
    raw: { a: 1 },
  })
})

test.each([
  ['days=three', 'takes a number, not "three"'],
  ['days=', 'takes a number'],
  ['sure=yes', 'takes true or false'],
  ['tags=a', 'takes JSON'],
  ['city', 'write name=value'],
])('%s is refused with what it takes', (text, sentence) => {
  expect(() => parseInputs([text], schema)).toThrow(sentence)
})
