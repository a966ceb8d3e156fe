// Goal: only a chat flow's question about a tool gets its two buttons; all others keep their form. Method: forms and data as flows make them.
import { expect, test } from 'vitest'
import { approvalOf } from './approval.tsx'

const form = { type: 'object', properties: { approve: { type: 'boolean' }, note: { type: 'string', maxLength: 2000 } }, required: ['approve'] }

test('a question about a tool is told by its form and by what it shows', () => {
  expect(approvalOf({ form, data: { tool: 'book', input: { to: 'Lisbon' } } })).toEqual({ tool: 'book', input: { to: 'Lisbon' } })
})

test.each([
  ['that asks more', { ...form, properties: { ...form.properties, price: { type: 'number' } } }, { tool: 'book', input: 1 }],
  ['that shows no tool', form, { text: 'Go?' }],
  ['that shows nothing', form, null],
  ['of another kind', { type: 'object', properties: { approve: { type: 'string' } } }, { tool: 'book' }],
  ['without fields', { type: 'boolean' }, { tool: 'book' }],
])('a question %s is none', (_what, asked, data) => {
  expect(approvalOf({ form: asked, data })).toBeNull()
})
