// Goal: a plain schema makes a readable form. Method: one schema with a field of each kind that needs help.
import { expect, test } from 'vitest'
import { labelOf, uiSchemaOf } from './ui-schema.ts'

test('names become labels, titles stay', () => {
  expect(['city', 'perSecond', 'max_file-size', 'URL'].map(labelOf)).toEqual(['City', 'Per second', 'Max file size', 'URL'])
  expect(uiSchemaOf({ properties: { a: { title: 'Given' }, b: {} } })).toEqual({ a: {}, b: { 'ui:title': 'B' } })
})

test('fields get the widget that fits', () => {
  const properties = {
    notes: { type: 'string', maxLength: 2000 },
    key: { type: 'string', format: 'password' },
    mode: { enum: ['a', 'b'] },
    tags: { type: 'array', uniqueItems: true, items: { enum: ['x'] } },
  }
  const look = uiSchemaOf({ properties })
  expect(Object.entries(look).map(([name, field]) => [name, (field as Record<string, unknown>)['ui:widget']])).toEqual([
    ['notes', 'textarea'],
    ['key', 'password'],
    ['mode', 'radio'],
    ['tags', 'checkboxes'],
  ])
})
