// Goal: a plain schema makes a readable form. Method: one schema with a field of each kind that needs help.
import type { Json } from '@koco/core'
import { expect, test } from 'vitest'
import { labelOf, uiSchemaOf } from './ui-schema.ts'

test('names become labels, titles stay', () => {
  expect(['city', 'perSecond', 'max_file-size', 'URL'].map(labelOf)).toEqual(['City', 'Per second', 'Max file size', 'URL'])
  expect(uiSchemaOf({ properties: { a: { title: 'Given' }, b: {} } })).toEqual({ a: {}, b: { 'ui:title': 'B' } })
})

test('items of a list are called after it, by their number', () => {
  const called = (schema: Json, index: number): unknown => {
    const { list } = uiSchemaOf({ properties: { list: schema } }) as { readonly list: { readonly items: (item: unknown, index: number) => object } }
    return list.items('', index)
  }
  expect(called({ type: 'array', items: { type: 'string' } }, 0)).toEqual({ 'ui:title': 'List 1' })
  expect(called({ title: 'Subsidiaries', type: 'array', items: { type: 'string', maxLength: 900 } }, 2)).toEqual({
    'ui:title': 'Subsidiaries 3',
    'ui:widget': 'textarea',
  })
  expect(called({ title: 'Subsidiaries', type: 'array', items: { title: 'Company', type: 'string' } }, 1)).toEqual({ 'ui:title': 'Company 2' })
  expect(uiSchemaOf({ type: 'array', items: { type: 'object', properties: {} } })).toEqual({ items: { 'ui:label': false } })
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
