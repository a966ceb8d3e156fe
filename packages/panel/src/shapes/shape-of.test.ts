// Goal: a schema of another shape than the one it is said to have does not compile. Method: the compiler's own complaints are expected, one for each way to differ; a check that passes over one fails to compile.
import type { Json } from '@koco/core'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { json } from './json.ts'
import { shapeOf } from './shape-of.ts'

type Note = { readonly id: string; readonly at: number | null; readonly tags: readonly string[]; readonly body: Json; readonly reason?: string }

const fields = { id: z.string(), at: z.number().nullable(), tags: z.array(z.string()), body: json, reason: z.string().optional() }

test('a schema of the shape is given back as it is', () => {
  const schema = z.object(fields)
  expect(shapeOf<Note>()(schema)).toBe(schema)
})

test('a schema that differs in one field does not compile', () => {
  const note = shapeOf<Note>()
  const { reason: _reason, ...shorter } = fields
  // @ts-expect-error a field is missing
  note(z.object(shorter))
  // @ts-expect-error a field is too many
  note(z.object({ ...fields, more: z.string() }))
  // @ts-expect-error a field that may be left out is too many
  note(z.object({ ...fields, more: z.string().optional() }))
  // @ts-expect-error a field may not be null
  note(z.object({ ...fields, at: z.number() }))
  // @ts-expect-error a field is always there
  note(z.object({ ...fields, reason: z.string() }))
  // @ts-expect-error the items of a list are others
  note(z.object({ ...fields, tags: z.array(z.number()) }))
  // @ts-expect-error a field is anything at all
  note(z.object({ ...fields, body: z.unknown() }))
  expect.assertions(0)
})
