import type { TokenCounts } from '@koco/core'
import type { ModelUse } from '@koco/storage'

/** What a model costs from a day on (UTC), in US dollars a million tokens; cached reading and writing as input where the provider has no price of its own, reasoning as output. */
export type Price = {
  readonly model: string
  readonly from: string
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
}

/** List prices as the providers published them. A call is priced by what held on its day, so what it cost can be worked out again at any time. */
export const LIST_PRICES: readonly Price[] = [
  { model: 'gpt-4o', from: '2024-10-02', input: 2.5, cacheRead: 1.25, output: 10 },
  { model: 'gpt-4o-mini', from: '2024-07-18', input: 0.15, cacheRead: 0.075, output: 0.6 },
  { model: 'gpt-4.1', from: '2025-04-14', input: 2, cacheRead: 0.5, output: 8 },
  { model: 'gpt-4.1-mini', from: '2025-04-14', input: 0.4, cacheRead: 0.1, output: 1.6 },
  { model: 'gpt-4.1-nano', from: '2025-04-14', input: 0.1, cacheRead: 0.025, output: 0.4 },
  { model: 'o3', from: '2025-04-16', input: 10, cacheRead: 2.5, output: 40 },
  { model: 'o3', from: '2025-06-10', input: 2, cacheRead: 0.5, output: 8 },
  { model: 'o4-mini', from: '2025-04-16', input: 1.1, cacheRead: 0.275, output: 4.4 },
  { model: 'gpt-5', from: '2025-08-07', input: 1.25, cacheRead: 0.125, output: 10 },
  { model: 'gpt-5-mini', from: '2025-08-07', input: 0.25, cacheRead: 0.025, output: 2 },
  { model: 'gpt-5-nano', from: '2025-08-07', input: 0.05, cacheRead: 0.005, output: 0.4 },
  { model: 'claude-3-5-haiku', from: '2024-12-03', input: 0.8, cacheRead: 0.08, cacheWrite: 1, output: 4 },
  { model: 'claude-sonnet-4', from: '2025-05-22', input: 3, cacheRead: 0.3, cacheWrite: 3.75, output: 15 },
  { model: 'claude-opus-4', from: '2025-05-22', input: 15, cacheRead: 1.5, cacheWrite: 18.75, output: 75 },
]

/** What model calls cost together; null when there are none, or when one of them has no known price: unknown is not nothing. */
export function costOf(uses: readonly ModelUse[], prices: readonly Price[]): number | null {
  let sum: number | null = null
  for (const use of uses) {
    const cost = use.cost ?? priced(use, prices)
    if (cost === null) return null
    sum = (sum ?? 0) + cost
  }
  return sum
}

function priced({ model, at, tokens }: ModelUse, prices: readonly Price[]): number | null {
  const day = new Date(at * 1000).toISOString().slice(0, 10)
  const name = bareName(model)
  const price = prices
    .filter((one) => one.model === name && one.from <= day)
    .toSorted((a, b) => (a.from < b.from ? -1 : 1))
    .at(-1)
  return price ? millionths(tokens, price) / 1_000_000 : null
}

function millionths(tokens: TokenCounts, { input, output, cacheRead = input, cacheWrite = input }: Price): number {
  return tokens.input_uncached * input + tokens.cache_read * cacheRead + tokens.cache_write * cacheWrite + (tokens.output + tokens.reasoning) * output
}

/** `openai/gpt-4o-2024-11-20` is `gpt-4o`: neither who passes it on nor the day of its making changes the list price. */
function bareName(model: string): string {
  return model
    .toLowerCase()
    .replace(/^.*\//, '')
    .replace(/-(?:\d{4}-\d{2}-\d{2}|\d{8})$/, '')
}
