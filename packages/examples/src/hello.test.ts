// Goal: the first flow works. Method: it is run through the test context with an answer to its question.
import { runFlow } from 'koco/testing'
import { expect, test } from 'vitest'
import { hello } from './index.ts'

test('hello greets, rests, asks and closes', async () => {
  const run = await runFlow(hello, { name: 'Ada', rest_seconds: 600 }, { answers: { 'nice?': { nice: false } } })
  expect(run.final).toEqual({ type: 'markdown', value: '# Good day, Ada!\n\nBetter next time.' })
  const finished = run.events.flatMap((event) => (event.kind === 'step' && event.data.phase === 'finished' ? [event.data.id] : []))
  expect(finished).toEqual(['choose a greeting', 'write a sentence', 'close'])
  expect(run.events.filter(({ kind }) => kind === 'result')).toHaveLength(1)
})
