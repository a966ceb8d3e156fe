import { issueWords } from '@koco/core'
import type { z } from 'zod'

/** Checks what comes in against its zod schema; what does not fit is told by JSON pointer and in words for people, as forms tell it. */
export function compileValidator({ schema }: { readonly schema: unknown }): (data: unknown) => { value: unknown } | { error: never } {
  const type = schema as z.ZodType
  return (data) => {
    const result = type.safeParse(data, { error: issueWords })
    if (result.success) return { value: result.data }
    const issues = result.error.issues.map(({ code, path, message }) => ({
      keyword: code,
      instancePath: path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
      schemaPath: '',
      params: {},
      message,
    }))
    return { error: issues as never }
  }
}
