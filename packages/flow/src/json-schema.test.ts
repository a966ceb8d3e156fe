// Goal: a form made of a flow's JSON Schema says the same words at the same fields as the flow's own zod schema does. Method: a schema with every kind of field, and for each a value that does not fit.
import { isJsonObject, issueWords, type Json } from '@koco/core'
import { formFaults } from '@koco/core/forms'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { jsonSchemaOf } from './json-schema.ts'

const SCHEMA = z.object({
  title: z.string().min(3).max(40),
  copies: z.number().int().min(2).max(20).multipleOf(2),
  day: z.iso.date(),
  hour: z.iso.time(),
  moment: z.iso.datetime({ offset: true }),
  agreed: z.literal(true, 'Read it first'),
  size: z.enum(['small', 'large']),
  days: z.array(z.enum(['mon', 'tue'])).min(1),
  mail: z.email(),
  page: z.url(),
  phone: z.string().regex(/^\+\d+$/, 'Begin with +'),
  address: z.object({ street: z.string().min(1, 'Which street?'), city: z.string() }),
  delivery: z.discriminatedUnion('by', [z.object({ by: z.literal('post') }), z.object({ by: z.literal('courier'), phone: z.string().min(6) })]),
})
const FITS = {
  title: 'abc',
  copies: 4,
  day: '2026-01-31',
  hour: '10:00',
  moment: '2026-01-01T10:00:00+02:00',
  agreed: true,
  size: 'small',
  days: ['mon'],
  mail: 'ann@example.com',
  page: 'https://example.com',
  phone: '+49',
  address: { street: 'a', city: 'b' },
  delivery: { by: 'post' },
}
const JSON_SCHEMA = jsonSchemaOf(SCHEMA)

function byFlow(value: unknown): string[] {
  const result = SCHEMA.safeParse(value, { error: issueWords })
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

function byForm(value: unknown): string[] | undefined {
  return formFaults(JSON_SCHEMA, value)?.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const WRONG: readonly (readonly [keyof typeof FITS, Json | undefined])[] = [
  ['title', 'a'],
  ['title', 'x'.repeat(41)],
  ['title', undefined],
  ['copies', 1],
  ['copies', 3],
  ['copies', 2.5],
  ['copies', 'x'],
  ['day', '2026-02-30'],
  ['hour', '25:00'],
  ['moment', '2026-01-01'],
  ['agreed', false],
  ['size', 'huge'],
  ['size', undefined],
  ['days', []],
  ['days', ['sun']],
  ['mail', 'x'],
  ['page', 'x'],
  ['phone', '49'],
  ['address', {}],
  ['address', { street: '', city: 'b' }],
  ['delivery', {}],
  ['delivery', { by: 'pigeon' }],
  ['delivery', { by: 'courier' }],
  ['delivery', { by: 'courier', phone: '1' }],
]

test('what fits the flow fits the form', () => {
  expect([byFlow(FITS), byForm(FITS)]).toEqual([[], []])
})

test.each(WRONG)('%s: %j', (name, value) => {
  const inputs = { ...FITS, [name]: value }
  expect(byFlow(inputs).length).toBeGreaterThan(0)
  expect(byForm(inputs)).toEqual(byFlow(inputs))
})

test('a time in a schema that nobody made by zod needs no zone; a schema that cannot be read judges nothing', () => {
  const at = { type: 'object', properties: { at: { type: 'string', format: 'time' } }, required: ['at'] }
  expect(formFaults(at, { at: '10:00:00' })).toEqual([])
  expect(formFaults(at, { at: 'x' })?.map(({ message }) => message)).toEqual(['Not a time of day'])
  expect(formFaults({ type: 'object', unevaluatedProperties: false, if: {} }, {})).toBeUndefined()
  expect(isJsonObject(JSON_SCHEMA)).toBe(true)
})
