// Goal: whatever code the panel sends the browser back with, the person reads a sentence. Method: the codes that the panel has, and one that it does not.
import { expect, test } from 'vitest'
import { SIGN_IN_PROBLEMS, signInProblem } from './problems.ts'

test('every code has a sentence, an unknown one too', () => {
  for (const code of [...Object.keys(SIGN_IN_PROBLEMS), 'something_new']) expect(signInProblem(code)).toMatch(/^[A-Z].*\.$/)
  expect(signInProblem(undefined)).toBeUndefined()
})
