import type { Json } from '@koco/core'
import { formFaults, readSchema } from '@koco/core/forms'
import type { RJSFSchema, RJSFValidationError } from '@rjsf/utils'
import { config } from 'zod'

// Zod tries to compile its parsers with `new Function`; the page's policy forbids that, and each try would be reported.
config({ jitless: true })

/** What does not fit, by the library and in the words of the server. A schema that cannot be read here has no faults: the server has the last word anyway. */
export function faultsOf(schema: RJSFSchema, data: unknown): RJSFValidationError[] {
  return (formFaults(schema as Json, data ?? {}) ?? []).map(({ code, path, message }) => {
    const property = path.map((part) => `.${part}`).join('')
    return { name: code, property, message, stack: `${property.slice(1) || 'form'}: ${message}`, params: {} }
  })
}

/** Whether data fits a part of a schema; `root` has the definitions. */
export function fits(schema: unknown, data: unknown, root: RJSFSchema): boolean {
  return readSchema(schema as Json, root)?.safeParse(data).success ?? true
}
