import { isJsonObject, type Json } from '@koco/core'
import {
  createErrorHandler,
  getDefaultFormState,
  toErrorSchema,
  unwrapErrorHandler,
  validationDataMerge,
  type CustomValidator,
  type ErrorTransformer,
  type RJSFSchema,
  type RJSFValidationError,
  type UiSchema,
  type ValidationData,
  type ValidatorType,
} from '@rjsf/utils'
import { config, fromJSONSchema, type ZodType } from 'zod'

// Zod tries to compile its parsers with `new Function`; the page's policy forbids that, and each try would be reported.
config({ jitless: true })

type Form = Record<string, unknown>

const compiled = new WeakMap<object, ZodType | null>()

/**
 * Checks form data in the browser by the same library that checks it on the server, so that both say the same words at the same field. (Ajv, the usual choice, compiles by eval.)
 * A schema that cannot be read here passes: the server has the last word anyway.
 */
export const validator: ValidatorType<Form> = {
  validateFormData(data, schema, customValidate, transformErrors, uiSchema) {
    return validate(data, schema, customValidate, transformErrors, uiSchema)
  },
  isValid(schema, data, rootSchema) {
    return compile(schema, rootSchema)?.safeParse(data).success ?? true
  },
  rawValidation<Result>(schema: RJSFSchema, data?: Form) {
    return { errors: issuesOf(schema, data) as Result[] }
  },
}

function validate(
  data: Form | undefined,
  schema: RJSFSchema,
  customValidate?: CustomValidator<Form>,
  transformErrors?: ErrorTransformer<Form>,
  uiSchema?: UiSchema<Form>,
): ValidationData<Form> {
  const found = issuesOf(schema, data)
  const errors = transformErrors ? transformErrors(found, uiSchema) : found
  const result: ValidationData<Form> = { errors, errorSchema: toErrorSchema<Form>(errors) }
  if (!customValidate) return result
  const full = getDefaultFormState(validator, schema, data, schema, true) as Form
  const handler = customValidate(full, createErrorHandler<Form>(full), uiSchema)
  return validationDataMerge<Form>(result, unwrapErrorHandler<Form>(handler))
}

function issuesOf(schema: RJSFSchema, data: Form | undefined): RJSFValidationError[] {
  const result = compile(schema, schema)?.safeParse(data ?? {})
  if (!result || result.success) return []
  return result.error.issues.map((issue) => {
    const property = issue.path.map((part) => (typeof part === 'number' ? `.${part}` : `.${String(part)}`)).join('')
    const message = issue.code === 'invalid_type' && issue.input === undefined && isMissing(data, issue.path) ? 'is required' : issue.message
    return { name: issue.code, property, message, stack: `${property.slice(1) || 'form'}: ${message}`, params: {} }
  })
}

function isMissing(data: unknown, path: readonly PropertyKey[]): boolean {
  let value: unknown = data ?? {}
  for (const part of path) value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined
  return value === undefined
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
