import { isJsonObject, issueWords, toJson, type Json } from '@koco/core'
import { formFaults, readSchema } from '@koco/core/forms'
import type { z } from 'zod'
import type { Flow } from './flow.ts'
import { jsonSchemaOf } from './json-schema.ts'
import type { FieldError } from './launcher.ts'

/** What a check gave: the value as the schema hands it on (defaults filled in), or the fields that do not fit. */
export type Checked<T = unknown> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fields: readonly FieldError[] }

const FIELDS_MAX = 100

/** What does not fit is said in words for people, the same in the browser. */
const SAY = { error: issueWords }

/** Checks a run's inputs against its flow's schema. */
export async function checkInputs(flow: Flow, inputs: unknown): Promise<Checked> {
  return checked(await flow.inputs.safeParseAsync(inputs, SAY))
}

/** Checks a value against a zod schema. */
export async function checkZod<T>(schema: z.ZodType<T>, value: unknown): Promise<Checked<T>> {
  return checked(await schema.safeParseAsync(value, SAY))
}

/** Checks an answer against the JSON Schema of a lock's form. A form that nobody can read accepts everything: the flow checks once more. */
export function checkAnswer(form: Json, answer: Json): Checked {
  if (!isJsonObject(form) || Object.keys(form).length === 0) return { ok: true, value: answer }
  const faults = formFaults(form, answer)
  if (faults && faults.length > 0) return { ok: false, fields: faults.slice(0, FIELDS_MAX).map(({ path, message }) => ({ path: pointer(path), message })) }
  const result = readSchema(form, form)?.safeParse(answer)
  return { ok: true, value: result?.success ? result.data : answer }
}

/** The JSON Schema of a lock's form as its event carries it. */
export function formSchema(form: z.ZodType | { readonly [key: string]: Json } | undefined): Json {
  if (form === undefined) return {}
  return isZod(form) ? jsonSchemaOf(form) : toJson(form)
}

/** True for a schema of zod 4, whichever copy of zod made it. */
export function isZod(value: unknown): value is z.ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value
}

function checked<T>(result: z.ZodSafeParseResult<T>): Checked<T> {
  if (result.success) return { ok: true, value: result.data }
  return { ok: false, fields: result.error.issues.slice(0, FIELDS_MAX).map((issue) => ({ path: pointer(issue.path), message: issue.message })) }
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
