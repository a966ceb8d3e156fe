// Goal: the browser finds the same faults as the server, at the same fields. Method: schemas made by zod, read back by the validator.
import { issueWords } from '@koco/core'
import type { RJSFSchema } from '@rjsf/utils'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { loadChecker, validator } from './validator.ts'

beforeAll(loadChecker)

const trip = z.object({ city: z.string().min(1), days: z.number().int().min(1).max(30), stops: z.array(z.object({ name: z.string() })).optional() })
const schema = z.toJSONSchema(trip, { io: 'input' }) as RJSFSchema

test('each fault is at its field, in the words of the server', () => {
  const data = { city: '', days: 31, stops: [{ name: 1 }] }
  const server = trip.safeParse(data, { error: issueWords })
  const { errors, errorSchema } = validator.validateFormData(data, schema)
  expect(errors.map((error) => error.message)).toEqual(server.error?.issues.map((issue) => issue.message))
  expect(errors.map((error) => error.property)).toEqual(['.city', '.days', '.stops.0.name'])
  expect(errorSchema).toMatchObject({ city: { __errors: [expect.any(String)] }, stops: { 0: { name: { __errors: [expect.any(String)] } } } })
})

test('a missing field is called required', () => {
  expect(validator.validateFormData({}, schema).errors.map((error) => error.message)).toEqual(['Required', 'Required'])
})

test('good data has no faults; an unreadable schema is left to the server', () => {
  expect(validator.validateFormData({ city: 'Rome', days: 3 }, schema).errors).toEqual([])
  expect(validator.isValid({ $ref: '#/nowhere' }, { a: 1 }, {})).toBe(true)
})

test('branches of a union are told apart', () => {
  const union = { anyOf: [{ type: 'string' }, { type: 'object', properties: { a: { $ref: '#/$defs/A' } }, required: ['a'] }] } as RJSFSchema
  const root = { ...union, $defs: { A: { type: 'number' } } } as RJSFSchema
  expect(validator.isValid(union.anyOf?.[1] as RJSFSchema, { a: 1 }, root)).toBe(true)
  expect(validator.isValid(union.anyOf?.[1] as RJSFSchema, { a: 'x' }, root)).toBe(false)
})
