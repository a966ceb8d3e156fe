// Goal: a record tells what content it names, whatever else it holds. Method: records with and without, and such as look like it.
import { expect, test } from 'vitest'
import { contentOf } from './content.ts'

const content = { sha256: 'ab'.repeat(32), bytes: 70_000, stored: 900 }
const step = { phase: 'finished', id: 'a#1', name: 'a', try: 1, duration_s: 1, result: null }

test('a step whose result is kept elsewhere names it', () => {
  expect(contentOf({ kind: 'step', data: JSON.stringify({ ...step, content }) })).toEqual(content)
})

test.each([
  ['another kind', 'result', { ...step, content }],
  ['no content', 'step', step],
  ['content inside the result', 'step', { ...step, result: { content } }],
  ['no hash', 'step', { ...step, content: { ...content, sha256: 'x' } }],
  ['no count', 'step', { ...step, content: { ...content, bytes: -1 } }],
])('%s names nothing', (_what, kind, data) => {
  expect(contentOf({ kind, data: JSON.stringify(data) })).toBeUndefined()
})

test('broken data names nothing', () => {
  expect(contentOf({ kind: 'step', data: '{"sha256"' })).toBeUndefined()
})
