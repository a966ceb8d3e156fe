import { isJsonObject, type Json } from '@koco/core'
import type { UiSchema } from '@rjsf/utils'

const LONG_TEXT = 300

/** How the fields of a schema look where the schema itself says too little: long texts as areas, few choices as radio buttons, the order as written. */
export function uiSchemaOf(schema: Json): UiSchema {
  if (!isJsonObject(schema)) return {}
  const look = lookOf(schema)
  const properties = schema['properties']
  if (isJsonObject(properties)) for (const [name, field] of Object.entries(properties)) look[name] = uiSchemaOf(field)
  const items = schema['items']
  if (isJsonObject(items)) look['items'] = uiSchemaOf(items)
  return look
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
  if (format === 'hidden') return { 'ui:widget': 'hidden' }
  if (Array.isArray(choices) && choices.length > 0 && choices.length <= 3) return { 'ui:widget': 'radio' }
  if (type === 'array' && uniqueItems === true && isJsonObject(items) && Array.isArray(items['enum'])) return { 'ui:widget': 'checkboxes' }
  return {}
}
