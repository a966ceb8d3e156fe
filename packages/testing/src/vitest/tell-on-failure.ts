// Set-up of each test file that starts servers, processes or browsers: with a test that fails goes what these said last, since nobody can look at them afterwards.
import { afterEach } from 'vitest'
import { lastWords } from '../last-words.ts'

afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return
  const words = await lastWords()
  if (words.length > 0) throw new Error(`What there was to see when the test failed:\n\n${words.join('\n\n')}`)
})
