import { isJsonObject, type Json } from '@koco/core'

const DEPTH_MAX = 4

/** What stands for a file in the inputs of an example. */
export const UPLOAD_EXAMPLE = 'id of an upload'

/** Texts of the formats, as they are sent. */
const EXAMPLES: Readonly<Record<string, string>> = {
  file: UPLOAD_EXAMPLE,
  date: '2026-12-31',
  'local-time': '09:30:00',
  time: '09:30:00Z',
  'date-time': '2026-12-31T09:30:00Z',
  email: 'ann@example.com',
  uri: 'https://example.com',
  tel: '+4930123456',
  color: '#336699',
}

/** Inputs that show the shape of a schema: defaults and examples where there are some, else the plainest value. Optional fields without a default are left out. */
export function exampleInputs(schema: Json, depth = 0): Json {
  if (!isJsonObject(schema)) return null
  if (schema['default'] !== undefined) return schema['default']
  if (Array.isArray(schema['examples']) && schema['examples'].length > 0) return schema['examples'][0] as Json
  if (schema['const'] !== undefined) return schema['const']
  if (Array.isArray(schema['enum'])) return (schema['enum'][0] as Json | undefined) ?? null
  const choices = schema['oneOf'] ?? schema['anyOf']
  if (Array.isArray(choices) && depth < DEPTH_MAX) return exampleInputs((choices[0] as Json | undefined) ?? null, depth + 1)
  if (isJsonObject(schema['properties'])) return objectExample(schema, schema['properties'], depth)
  return plainExample(schema)
}

function objectExample(schema: { readonly [key: string]: Json }, properties: { readonly [key: string]: Json }, depth: number): Json {
  if (depth >= DEPTH_MAX) return {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const shown = Object.entries(properties).filter(([name, field]) => required.includes(name) && isJsonObject(field))
  return Object.fromEntries(shown.map(([name, field]) => [name, exampleInputs(field, depth + 1)]))
}

function plainExample(schema: { readonly [key: string]: Json }): Json {
  switch (schema['type']) {
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1
    case 'boolean':
      return false
    case 'array':
      return typeof schema['minItems'] === 'number' && schema['minItems'] > 0 ? [exampleInputs(schema['items'] ?? null, DEPTH_MAX)] : []
    case 'object':
      return {}
    case 'null':
      return null
    default:
      return (typeof schema['format'] === 'string' && EXAMPLES[schema['format']]) || 'text'
  }
}
