// Goal: people read words, never the raw messages of the schema library; an author's own words win. Method: real schemas, parsed as browser and server do.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { issueWords } from './issue-words.ts'

const CASES: readonly (readonly [z.ZodType, unknown, string])[] = [
  [z.string(), undefined, 'Required'],
  [z.enum(['a', 'b']), undefined, 'Required'],
  [z.union([z.string(), z.number()]), undefined, 'Required'],
  [z.string().min(1), '', 'Required'],
  [z.array(z.string()).min(1), [], 'Required'],
  [z.string().min(2), 'a', 'At least 2 characters'],
  [z.string().max(1), 'ab', 'At most 1 character'],
  [z.string().length(3), 'a', 'Exactly 3 characters'],
  [z.array(z.string()).max(2), ['', '', ''], 'At most 2 items'],
  [z.number().min(1), 0, 'At least 1'],
  [z.number().positive(), 0, 'More than 0'],
  [z.number().lt(5), 5, 'Less than 5'],
  [z.number().int(), 1.5, 'Must be a whole number'],
  [z.number(), 'x', 'Must be a number'],
  [z.number(), Number.NaN, 'Must be a number'],
  [z.number().multipleOf(5), 4, 'Must be a multiple of 5'],
  [z.email(), 'x', 'Not an email address'],
  [z.url(), 'x', 'Not a web address'],
  [z.iso.date(), 'x', 'Not a date'],
  [z.string().regex(/^a/), 'b', 'Has not the form that is asked for'],
  [z.string().startsWith('a'), 'b', 'Must begin with “a”'],
  [z.enum(['a', 'b']), 'c', 'One of “a”, “b”'],
  [z.literal('yes'), 'no', 'Must be “yes”'],
  [z.strictObject({}), { a: 1 }, 'Has what is not known: “a”'],
  [z.union([z.string(), z.number()]), true, 'Fits none of the choices'],
  [z.string().min(2, 'Give a city'), 'a', 'Give a city'],
  [z.string('A name, please'), undefined, 'A name, please'],
]

test.each(CASES.map(([schema, value, words]) => ({ schema, value, words })))('$words, for $value', ({ schema, value, words }) => {
  const result = schema.safeParse(value, { error: issueWords })
  expect(result.error?.issues[0]?.message).toBe(words)
})
