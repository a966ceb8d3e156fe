import { isJsonObject, type Json } from '@koco/core'

const DEPTH_MAX = 50

/**
 * A schema as the form is drawn from it. Without its own title and description, which the page around the form says. A yes that must be given is not given beforehand, as the form library would
 * give a constant. Several of a few choices are chosen, not listed one by one.
 */
export function formSchema(schema: Json): { readonly [key: string]: Json } {
  if (!isJsonObject(schema)) return { type: 'object', properties: {} }
  const { title: _title, description: _description, $schema: _version, ...rest } = schema
  return drawn(rest, 0) as { readonly [key: string]: Json }
}

function drawn(schema: Json, depth: number): Json {
  if (depth > DEPTH_MAX) return schema
  if (Array.isArray(schema)) return schema.map((item: Json) => drawn(item, depth + 1))
  if (!isJsonObject(schema)) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, drawn(value, depth + 1)]))
  if (schema['type'] === 'boolean' && typeof schema['const'] === 'boolean') {
    const { const: only, ...rest } = inner
    return { ...rest, enum: [only ?? true] }
  }
  const items = schema['items']
  return schema['type'] === 'array' && isJsonObject(items ?? null) && Array.isArray((items as { readonly [key: string]: Json })['enum'])
    ? { ...inner, uniqueItems: true }
    : inner
}
