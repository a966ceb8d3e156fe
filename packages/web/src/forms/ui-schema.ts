import { isJsonObject, type Json } from '@koco/core'
import type { UiSchema } from '@rjsf/utils'
import type { ReactElement } from 'react'

const LONG_TEXT = 300
const BOXES_MAX = 6
/** As `jsonSchemaOf` of the flow's side names it. */
const LOCAL_TIME = 'local-time'

const MARKED_UP = /[*_`[\n]/

/**
 * How the fields of a schema look where the schema itself says too little: readable labels, long texts as areas, few choices as radio buttons. The order is that of the schema.
 * `help` makes an element of a help text that holds Markdown. `label`: what the field is called; each item of a list is called after its list, by its number.
 */
export function uiSchemaOf(schema: Json, help?: (text: string) => ReactElement, label = 'Item'): UiSchema {
  if (!isJsonObject(schema)) return {}
  const look = lookOf(schema)
  const { description } = schema
  if (help && typeof description === 'string' && MARKED_UP.test(description)) Object.assign(look, { 'ui:description': help(description) })
  const properties = schema['properties']
  if (isJsonObject(properties)) {
    for (const [name, field] of Object.entries(properties)) {
      const titled = isJsonObject(field) && field['title'] !== undefined
      look[name] = { ...(!titled && { 'ui:title': labelOf(name) }), ...uiSchemaOf(field, help, titleOf(field) ?? labelOf(name)) }
    }
  }
  for (const choice of ['oneOf', 'anyOf'] as const) {
    const branches = schema[choice]
    if (Array.isArray(branches)) look[choice] = branches.map((branch: Json) => branchLook(branch, help))
  }
  const items = schema['items']
  if (isJsonObject(items) && look['ui:widget'] !== 'upload') look['items'] = itemLook(items, uiSchemaOf(items, help), titleOf(items) ?? label)
  return look
}

function titleOf(schema: Json): string | undefined {
  const title = isJsonObject(schema) ? schema['title'] : undefined
  return typeof title === 'string' ? title : undefined
}

/** Items that are fields are numbered; those that are groups of fields stand in frames, which need no name. */
function itemLook(items: { readonly [key: string]: Json }, look: UiSchema, label: string): UiSchema['items'] {
  if (items['type'] === 'object') return { 'ui:label': false, ...look }
  return (_item: unknown, index: number) => ({ ...look, 'ui:title': `${label} ${index + 1}` })
}

/** A branch is told from the others by a constant, which the choice of the branch fills in: nothing to ask for. */
function branchLook(branch: Json, help?: (text: string) => ReactElement): UiSchema {
  const look = uiSchemaOf(branch, help)
  const properties = isJsonObject(branch) ? branch['properties'] : undefined
  if (!isJsonObject(properties ?? null)) return look
  for (const [name, field] of Object.entries(properties as { readonly [key: string]: Json })) {
    if (isJsonObject(field) && 'const' in field) look[name] = { 'ui:widget': 'hidden' }
  }
  return { ...look, 'ui:label': false }
}

/** A property's name as a label: `perSecond` and `per_second` become `Per second`. */
export function labelOf(name: string): string {
  const words = name
    .replaceAll(/([a-z\d])([A-Z])/g, (_match, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .replaceAll(/[_-]+/g, ' ')
    .trim()
  return words === '' ? name : words.charAt(0).toUpperCase() + words.slice(1)
}

function lookOf(schema: { readonly [key: string]: Json }): UiSchema {
  const { type, format, enum: choices, items, maxLength, uniqueItems } = schema
  if (
    format === 'textarea' ||
    format === 'markdown' ||
    (type === 'string' && typeof maxLength === 'number' && maxLength >= LONG_TEXT && format === undefined)
  ) {
    return { 'ui:widget': 'textarea' }
  }
  if (format === 'password' || schema['writeOnly'] === true) return { 'ui:widget': 'password' }
  if (format === 'tel') return { 'ui:options': { inputType: 'tel' } }
  if (format === 'color') return { 'ui:widget': 'color' }
  if (format === 'range') return { 'ui:widget': 'range' }
  if (format === 'file' || (type === 'array' && isJsonObject(items) && items['format'] === 'file')) return { 'ui:widget': 'upload' }
  if (format === 'hidden') return { 'ui:widget': 'hidden' }
  if (type !== 'boolean' && Array.isArray(choices) && choices.length > 0 && choices.length <= 3) return { 'ui:widget': 'radio', 'ui:options': { inline: true } }
  if (format === LOCAL_TIME) return { 'ui:widget': 'time' }
  if (type === 'array' && uniqueItems === true && isJsonObject(items) && Array.isArray(items['enum']))
    return { 'ui:widget': items['enum'].length <= BOXES_MAX ? 'checkboxes' : 'select' }
  return {}
}
