import { isJsonObject, type Json } from '@koco/core'
import type { ErrorSchema } from '@rjsf/utils'
import type { FieldProblem } from '../api/problem.ts'

/** What the server said of single fields, in the form's shape: each at its field. Paths are JSON pointers, with or without a leading `/inputs` or `/answer`. */
export function errorSchemaOf(fields: readonly FieldProblem[], schema: Json): ErrorSchema {
  const root: Record<string, unknown> = {}
  for (const { path, message } of fields) {
    let place = root
    for (const part of partsOf(path, schema)) place = (place[part] ??= {}) as Record<string, unknown>
    place['__errors'] = [...((place['__errors'] as string[] | undefined) ?? []), message]
  }
  return root as ErrorSchema
}

/** The faults that belong to no single field. */
export function formErrors(fields: readonly FieldProblem[], schema: Json): string[] {
  return fields.filter((field) => partsOf(field.path, schema).length === 0).map((field) => field.message)
}

function partsOf(path: string, schema: Json): string[] {
  const parts = path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const properties = isJsonObject(schema) ? schema['properties'] : undefined
  const first = parts[0]
  const known = isJsonObject(properties) && first !== undefined && first in properties
  return !known && (first === 'inputs' || first === 'answer') ? parts.slice(1) : parts
}
