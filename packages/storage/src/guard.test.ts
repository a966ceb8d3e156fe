// Goal: a method of a store is called again for errors that are worth it, a limited number of times, and what is left of them is one of core's.
import { expect, test } from 'vitest'
import { guarded } from './guard.ts'

const isBusy = (error: unknown): boolean => error instanceof Error && error.message === 'busy'
const convert = (error: unknown): Error => new Error(`converted ${String(error)}`)

function failing(errors: string[]): { act(given: string): Promise<string>; calls(): number } {
  let calls = 0
  return {
    act: (given) => {
      const error = errors[calls++]
      return error === undefined ? Promise.resolve(given) : Promise.reject(new Error(error))
    },
    calls: () => calls,
  }
}

test('what is worth another try is tried again with the same arguments', async () => {
  const { act } = failing(['busy', 'busy', 'busy', 'busy'])
  expect(await guarded({ act }, convert, isBusy).act('x')).toBe('x')
})

test('it is given up in the end', async () => {
  const { act, calls } = failing(Array.from({ length: 10 }, () => 'busy'))
  await expect(guarded({ act }, convert, isBusy).act('x')).rejects.toThrow('converted Error: busy')
  expect(calls()).toBe(5)
})

test.for([['with a judge', isBusy] as const, ['without', undefined] as const])('other errors are thrown at once, %s', async ([, another]) => {
  const { act, calls } = failing(['broken', 'broken'])
  await expect(guarded({ act }, convert, another).act('x')).rejects.toThrow('converted Error: broken')
  expect(calls()).toBe(1)
})
