import { toJson, type Json } from '@koco/core'
import { AUTHOR_WORDS, LOCAL_TIME } from '@koco/core/forms'
import { z } from 'zod'

/** What the library keeps of a schema or of one of its checks, as far as it is looked at here. */
type Definition = { readonly type?: string; readonly check?: string; readonly format?: string; readonly error?: (issue: object) => unknown }

/** The codes of the faults that a check can find. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  min_length: ['too_small'],
  greater_than: ['too_small'],
  max_length: ['too_big'],
  less_than: ['too_big'],
  length_equals: ['too_small', 'too_big'],
  string_format: ['invalid_format'],
  multiple_of: ['not_multiple_of'],
}

/**
 * The JSON Schema of a zod schema, for forms and for other languages: what goes in. Besides what the library says it names the format of a time of day, and keeps the words that an author has
 * written for a fault.
 */
export function jsonSchemaOf(schema: z.ZodType): Json {
  return toJson(
    z.toJSONSchema(schema, {
      io: 'input',
      unrepresentable: 'any',
      override({ zodSchema, jsonSchema }) {
        const definition = zodSchema._zod.def as Definition & { readonly checks?: readonly { readonly _zod: { readonly def: Definition } }[] }
        if (definition.format === 'time') jsonSchema.format = LOCAL_TIME
        const words = Object.assign({}, ...[definition, ...(definition.checks ?? []).map((check) => check._zod.def)].map(wordsOf)) as object
        if (Object.keys(words).length > 0) (jsonSchema as Record<string, unknown>)[AUTHOR_WORDS] = words
      },
    }),
  )
}

function wordsOf({ check, error }: Definition): Readonly<Record<string, string>> {
  const text = textOf(error)
  if (text === undefined) return {}
  const codes = check === undefined ? ['invalid_type', 'invalid_value', 'invalid_union'] : (CODES[check] ?? [])
  return Object.fromEntries(codes.map((code) => [code, text]))
}

/** The text of an error that is one text always. One that depends on the value cannot go into a schema. */
function textOf(error: Definition['error']): string | undefined {
  try {
    const text = error?.({})
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
}
