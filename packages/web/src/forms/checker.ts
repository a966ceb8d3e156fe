import { isJsonObject, issueWords, type Json } from '@koco/core'
import type { RJSFSchema, RJSFValidationError } from '@rjsf/utils'
import { config, fromJSONSchema, type ZodType } from 'zod'

// Zod tries to compile its parsers with `new Function`; the page's policy forbids that, and each try would be reported.
config({ jitless: true })

const compiled = new WeakMap<object, ZodType | null>()

/** What does not fit, by the library and in the words of the server. A schema that cannot be read here has no faults: the server has the last word anyway. */
export function faultsOf(schema: RJSFSchema, data: unknown): RJSFValidationError[] {
  const result = compile(schema, schema)?.safeParse(data ?? {}, { error: issueWords })
  if (!result || result.success) return []
  return result.error.issues.map(({ code, path, message }) => {
    const property = path.map((part) => `.${String(part)}`).join('')
    return { name: code, property, message, stack: `${property.slice(1) || 'form'}: ${message}`, params: {} }
  })
}

/** Whether data fits a part of a schema; `root` has the definitions. */
export function fits(schema: unknown, data: unknown, root: RJSFSchema): boolean {
  return compile(schema, root)?.safeParse(data).success ?? true
}

function compile(schema: unknown, root: RJSFSchema): ZodType | null {
  if (typeof schema !== 'object' || schema === null) return null
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const made = read(schema, root)
  compiled.set(schema, made)
  return made
}

function read(schema: object, root: RJSFSchema): ZodType | null {
  const definitions = {
    ...(isJsonObject(root['$defs']) && { $defs: root['$defs'] as Json }),
    ...(isJsonObject(root.definitions) && { definitions: root.definitions as Json }),
  }
  try {
    return fromJSONSchema({ ...definitions, ...schema } as Parameters<typeof fromJSONSchema>[0])
  } catch {
    // A word of JSON Schema that the library does not know: leave the judgement to the server.
    return null
  }
}
