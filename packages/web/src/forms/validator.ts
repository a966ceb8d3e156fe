import {
  createErrorHandler,
  getDefaultFormState,
  toErrorSchema,
  unwrapErrorHandler,
  validationDataMerge,
  type CustomValidator,
  type ErrorTransformer,
  type RJSFSchema,
  type UiSchema,
  type ValidationData,
  type ValidatorType,
} from '@rjsf/utils'
import type * as Checks from './checker.ts'

type Form = Record<string, unknown>
type Checker = Pick<typeof Checks, 'faultsOf' | 'fits'>

let checker: Checker | 'none' | undefined
let loading: Promise<void> | undefined

/** Fetches what checks forms; resolves when it is there, or when it cannot be had and the server alone will check. */
export function loadChecker(): Promise<void> {
  loading ??= import('./checker.ts').then(
    (module) => void (checker = module),
    () => void (checker = 'none'),
  )
  return loading
}

/** True when forms are checked, or never will be here. */
export function hasChecker(): boolean {
  return checker !== undefined
}

/** True for a schema whose form cannot be drawn without checking data: one with branches. */
export function needsChecker(schema: unknown): boolean {
  return /"(?:anyOf|oneOf|if|dependentSchemas|dependencies)":/.test(JSON.stringify(schema))
}

/**
 * Checks form data in the browser by the same library that checks it on the server, so that both say the same words at the same field. (Ajv, the usual choice, compiles by eval.)
 * The library is large and fetched when a person begins to fill in a form (`loadChecker`); until then everything passes.
 */
export const validator: ValidatorType<Form> = {
  validateFormData(data, schema, customValidate, transformErrors, uiSchema) {
    return validate(data, schema, customValidate, transformErrors, uiSchema)
  },
  isValid(schema, data, rootSchema) {
    return loaded()?.fits(schema, data, rootSchema) ?? true
  },
  rawValidation<Result>(schema: RJSFSchema, data?: Form) {
    return { errors: (loaded()?.faultsOf(schema, data) ?? []) as Result[] }
  },
}

function loaded(): Checker | undefined {
  return checker === 'none' ? undefined : checker
}

function validate(
  data: Form | undefined,
  schema: RJSFSchema,
  customValidate?: CustomValidator<Form>,
  transformErrors?: ErrorTransformer<Form>,
  uiSchema?: UiSchema<Form>,
): ValidationData<Form> {
  const found = loaded()?.faultsOf(schema, data) ?? []
  const errors = transformErrors ? transformErrors(found, uiSchema) : found
  const result: ValidationData<Form> = { errors, errorSchema: toErrorSchema<Form>(errors) }
  if (!customValidate) return result
  const full = getDefaultFormState(validator, schema, data, schema, true) as Form
  const handler = customValidate(full, createErrorHandler<Form>(full), uiSchema)
  return validationDataMerge<Form>(result, unwrapErrorHandler<Form>(handler))
}
