import { isJsonObject, parseJson, type Json } from '@koco/core'
import { usageError } from '../output/exit.ts'

/**
 * The object that `name=value` texts make. The JSON Schema says what a value is: text stays text, numbers and booleans are parsed, objects and lists are JSON.
 * `name:=value` is JSON whatever the schema says. A usage error names the text that does not fit.
 */
export function parseInputs(texts: readonly string[], schema: Json): Record<string, Json> {
  const inputs: Record<string, Json> = {}
  for (const text of texts) {
    const match = /^([^=:]+)(:?=)(.*)$/s.exec(text)
    if (!match) throw usageError(`"${text}" is no input: write name=value, or name:=JSON.`)
    const [, name = '', sign, value = ''] = match
    inputs[name] = sign === ':=' ? parseValue(name, value) : convert(name, value, typesOf(schema, name))
  }
  return inputs
}

function typesOf(schema: Json, name: string): readonly string[] {
  const properties = isJsonObject(schema) ? schema['properties'] : undefined
  const property = isJsonObject(properties) ? properties[name] : undefined
  if (!isJsonObject(property)) return []
  const variants = [property, ...list(property['anyOf']), ...list(property['oneOf'])]
  return variants.flatMap((variant) => (isJsonObject(variant) ? list(variant['type']) : [])).filter((type) => typeof type === 'string')
}

function convert(name: string, value: string, types: readonly string[]): Json {
  if (types.length === 0 || types.includes('string')) return value
  if (types.includes('null') && value === 'null') return null
  if (types.includes('number') || types.includes('integer')) {
    const number = Number(value)
    if (value.trim() !== '' && Number.isFinite(number)) return number
    throw usageError(`Input "${name}" takes a number, not "${value}".`)
  }
  if (types.includes('boolean')) {
    if (value === 'true' || value === 'false') return value === 'true'
    throw usageError(`Input "${name}" takes true or false, not "${value}".`)
  }
  return parseValue(name, value)
}

function parseValue(name: string, value: string): Json {
  try {
    return parseJson(value)
  } catch {
    throw usageError(`Input "${name}" takes JSON, and "${value}" is none.`)
  }
}

function list(value: Json | undefined): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}
