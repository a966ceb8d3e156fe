import { z } from 'zod'
import { RUN_STATUSES, type ErrorValue, type Json, type TokenCounts, type TypedValue } from '../index.ts'

/** Any JSON value; refuses what JSON cannot carry (undefined, functions, NaN, cycles by their depth). */
export const jsonSchema: z.ZodType<Json> = z.unknown().refine((value) => isJson(value, 0), 'must be a JSON value') as unknown as z.ZodType<Json>

/** Unix seconds with fraction. */
export const timeSchema = z.number().nonnegative()

/** A length of time in seconds. */
export const durationSchema = z.number().nonnegative()

/** `<epoch>-<seq>`. */
export const positionSchema = z.string().regex(/^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})$/, 'must be <epoch>-<seq>')

/** One of the eight statuses. */
export const statusSchema = z.enum(RUN_STATUSES)

/** A value with its type. */
export const typedValueSchema = z.looseObject({
  type: z.enum(['markdown', 'html', 'text', 'json', 'error']),
  value: jsonSchema,
}) satisfies z.ZodType<TypedValue>

/** An error as events carry it. */
export const errorValueSchema = z.looseObject({
  name: z.string(),
  message: z.string(),
  stack: z.string().optional(),
  code: z.string().optional(),
}) satisfies z.ZodType<ErrorValue>

const count = z.int().nonnegative()

/** Token counts in disjoint classes. */
export const tokenCountsSchema = z.looseObject({
  input_uncached: count,
  cache_read: count,
  cache_write: count,
  output: count,
  reasoning: count,
}) satisfies z.ZodType<TokenCounts>

const DEPTH_MAX = 1_000

function isJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth >= DEPTH_MAX) return false
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1))
  return Object.values(value).every((item) => isJson(item, depth + 1))
}
