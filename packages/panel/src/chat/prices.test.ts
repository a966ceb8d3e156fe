// Goal: what calls cost follows from their day, their size and the prices alone, and an operator's prices stand in the place of the lists. Method: calls of known token counts against rows made for the test, then the real list.
import type { TokenCounts } from '@koco/core'
import { expect, test } from 'vitest'
import { LIST_PRICES } from './list-prices.ts'
import { costOf, withOwnPrices, type Price } from './prices.ts'

const M = 1_000_000
const none: TokenCounts = { input_uncached: 0, cache_read: 0, cache_write: 0, output: 0, reasoning: 0 }
const use = (model: string, tokens: Partial<TokenCounts>, day = '2026-08-01', cost: number | null = null) => ({
  provider: 'local',
  model,
  at: Date.parse(`${day}T12:00:00Z`) / 1000,
  tokens: { ...none, ...tokens },
  cost,
})
const rows: readonly Price[] = [
  { model: 'tiny', input: 1, output: 4, cacheRead: 0.1 },
  { model: 'tiny', from: '2026-06-01', input: 2, output: 8, cacheWrite: 3, above: { tokens: 100, input: 5, output: 9 } },
]

test('each class of tokens has its price; where there is none, cached ones cost as input and reasoning as output', () => {
  const counts = { input_uncached: 10, cache_read: 20, cache_write: 30, output: 5, reasoning: 7 }
  expect(costOf([use('tiny', counts, '2026-05-31')], rows)).toBeCloseTo((10 + 20 * 0.1 + 30 + 12 * 4) / M, 12)
  expect(costOf([use('tiny', counts, '2026-06-01')], rows)).toBeCloseTo((10 * 2 + 20 * 2 + 30 * 3 + 12 * 8) / M, 12)
})

test('a call with a long input costs more from its first token on', () => {
  expect(costOf([use('tiny', { input_uncached: 60, cache_read: 40, output: 1 })], rows)).toBeCloseTo((200 + 8) / M, 12)
  expect(costOf([use('tiny', { input_uncached: 61, cache_read: 40, output: 1 })], rows)).toBeCloseTo((505 + 9) / M, 12)
})

test('what is not known is not nothing; what the provider said counts', () => {
  expect(costOf([], rows)).toBeNull()
  expect(costOf([use('tiny', { output: 1 }), use('huge', { output: 1 })], rows)).toBeNull()
  expect(costOf([use('huge', { output: 1 }, '2026-08-01', 0.25), use('tiny', { output: M })], rows)).toBe(8.25)
})

test('neither who passes a model on nor the day of its making changes its price', () => {
  for (const name of ['openai/TINY', 'tiny-2026-01-01', 'tiny-20260101', 'tiny@20260101', 'tiny-latest', 'a/b/tiny'])
    expect(costOf([use(name, { output: 1 })], rows), name).not.toBeNull()
  expect(costOf([use('tiny-pro', { output: 1 })], rows)).toBeNull()
  const price = (name: string) => costOf([use(name, { output: M })], LIST_PRICES)
  expect([price('anthropic/claude-opus-4.5'), price('claude-opus-4-5-20251101'), price('claude-opus-4-20250514')]).toEqual([25, 25, 75])
})

test('the list prices are whole: each model and day once, nothing free, cached input never dearer than input', () => {
  const keys = LIST_PRICES.map(({ model, from = '' }) => `${model} ${from}`)
  expect(new Set(keys).size).toBe(keys.length)
  for (const { model, input, output, cacheRead = 0, above } of LIST_PRICES) {
    expect(input > 0 && output >= input && cacheRead <= input, model).toBe(true)
    if (above) expect(above.input > input && above.output > output, model).toBe(true)
  }
})

test('an operator’s file stands in the place of the list for the models that it names, and is refused when it says something else', () => {
  const file = JSON.stringify([
    { model: 'gpt-4o', input: 1, output: 1 },
    { model: 'own', from: '2026-01-01', input: 0, output: 3, cache_read: 0, above: { tokens: 10, input: 1, output: 6 } },
  ])
  const prices = withOwnPrices(file, LIST_PRICES)
  const price = (name: string, tokens: Partial<TokenCounts> = { output: M }) => costOf([use(name, tokens)], prices)
  expect([price('gpt-4o-2024-11-20'), price('own'), price('own', { input_uncached: M, output: M }), price('gpt-4o-mini')]).toEqual([1, 3, 7, 0.6])
  for (const bad of ['', '{}', '[{"model":"x"}]', '[{"model":"x","input":-1,"output":1}]', '[{"model":"x","input":1,"output":1,"prize":1}]'])
    expect(() => withOwnPrices(bad, LIST_PRICES), bad).toThrow(/^The prices of KODO_PRICES cannot be used: /)
})
