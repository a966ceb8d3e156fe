// Goal: whoever gives several ids learns which of them are done, also when one fails. Method: a fake terminal, and an act that fails for one id.
import { expect, test } from 'vitest'
import { printEach } from './each.ts'
import { fakeIo } from './fake-io.ts'
import type { OutputForm } from './table.ts'

async function over(form: OutputForm, ids: readonly string[]) {
  const io = fakeIo('/')
  const act = async (id: string) => {
    if (id === 'bad') throw new Error('no such id')
    return id === 'gone' ? null : { secret: `s-${id}` }
  }
  const failed = await printEach(io, form, ids, act, (answer, id) => answer?.secret ?? id).then(
    () => null,
    (error: unknown) => (error as Error).message,
  )
  return { failed, printed: io.printed }
}

test.each([['table' as const], ['ids' as const]])('as %s a line is printed as soon as one is done', async (form) => {
  expect(await over(form, ['a', 'gone', 'bad', 'b'])).toEqual({ failed: 'no such id', printed: ['s-a', 'gone'] })
})

test('as JSON all that came of them is one array, up to the one that failed', async () => {
  const { failed, printed } = await over('json', ['a', 'gone', 'bad', 'b'])
  expect(failed).toBe('no such id')
  expect(printed.map((text) => JSON.parse(text) as unknown)).toEqual([
    [
      { id: 'a', answer: { secret: 's-a' } },
      { id: 'gone', answer: null },
    ],
  ])
})
