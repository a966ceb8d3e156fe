// Goal: what was entered survives, secrets do not, and one intention has one key. Method: a Map behind the Storage interface of browsers.
import { expect, test } from 'vitest'
import { Draft } from './draft.ts'

function setup(fail = false) {
  const kept = new Map<string, string>()
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => {
      if (fail) throw new DOMException('full', 'QuotaExceededError')
      kept.set(name, value)
    },
    removeItem: (name: string) => void kept.delete(name),
  } as Storage
  let keys = 0
  const schema = { properties: { city: { type: 'string' }, token: { type: 'string', format: 'password' } } }
  return { kept, draft: () => new Draft(storage, 'trip', schema), newKey: () => `key-${++keys}` }
}

test('entered data survives a reload, passwords are never kept', () => {
  const { draft, kept } = setup()
  draft().save({ city: 'Rome', token: 'secret' })
  expect(draft().load()).toEqual({ city: 'Rome' })
  expect([...kept.values()].join('')).not.toContain('secret')
})

test('the same data keeps its key until it arrived, other data gets another', () => {
  const { draft, newKey } = setup()
  const first = draft().keyFor({ city: 'Rome' }, newKey)
  expect(draft().keyFor({ city: 'Rome' }, newKey)).toBe(first)
  expect(draft().keyFor({ city: 'Oslo' }, newKey)).not.toBe(first)
  draft().clear()
  expect(draft().keyFor({ city: 'Oslo' }, newKey)).toBe('key-3')
})

test('a full or broken storage does no harm', () => {
  const { draft, newKey } = setup(true)
  draft().save({ city: 'Rome' })
  expect(draft().load()).toBeUndefined()
  expect(draft().keyFor({}, newKey)).toBe('key-1')
})
