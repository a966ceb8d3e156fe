import { RefusedError, type TokenCounts } from '@koco/core'
import type { ModelUse } from '@koco/storage'
import { z } from 'zod'

/** What a million tokens cost, in US dollars; cached reading and writing as input where there is no price of its own, reasoning as output. */
type Rates = { readonly input: number; readonly output: number; readonly cacheRead?: number | undefined; readonly cacheWrite?: number | undefined }

/** What a model costs, from a day on (UTC; ever since there is the model, when absent). `above`: what all tokens of a call cost whose input has more tokens than that. */
export type Price = Rates & {
  readonly model: string
  readonly from?: string | undefined
  readonly above?: (Rates & { readonly tokens: number }) | undefined
}

const dollars = z.number().min(0)
const rates = { input: dollars, output: dollars, cache_read: dollars.optional(), cache_write: dollars.optional() }
const Row = z.strictObject({
  model: z.string().min(1),
  from: z.iso.date().optional(),
  ...rates,
  above: z.strictObject({ tokens: z.number().int().min(1), ...rates }).optional(),
})

/**
 * The prices of an operator's file, a JSON list of `{model, input, output, cache_read?, cache_write?, from?, above?}`, in front of the list prices: a model that the file names costs what the file says and nothing else. RefusedError `bad_prices`.
 */
export function withOwnPrices(text: string, list: readonly Price[]): readonly Price[] {
  const own = parseRows(text).map(({ model, from, above, ...price }): Price => ({
    model,
    from,
    ...ratesOf(price),
    above: above && { tokens: above.tokens, ...ratesOf(above) },
  }))
  const named = new Set(own.map(({ model }) => bareName(model)))
  return [...own, ...list.filter(({ model }) => !named.has(bareName(model)))]
}

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

/** A call is priced by what held on its day, so what it cost can be worked out again at any time. */
function priced({ model, at, tokens }: ModelUse, prices: readonly Price[]): number | null {
  const day = new Date(at * 1000).toISOString().slice(0, 10)
  const name = bareName(model)
  const price = prices
    .filter((one) => bareName(one.model) === name && (one.from ?? '') <= day)
    .toSorted((a, b) => ((a.from ?? '') < (b.from ?? '') ? -1 : 1))
    .at(-1)
  if (!price) return null
  const isLong = price.above !== undefined && inputOf(tokens) > price.above.tokens
  return millionths(tokens, isLong && price.above ? price.above : price) / 1_000_000
}

function inputOf({ input_uncached: uncached, cache_read: read, cache_write: write }: TokenCounts): number {
  return uncached + read + write
}

function millionths(tokens: TokenCounts, { input, output, cacheRead = input, cacheWrite = input }: Rates): number {
  return tokens.input_uncached * input + tokens.cache_read * cacheRead + tokens.cache_write * cacheWrite + (tokens.output + tokens.reasoning) * output
}

/** `openai/gpt-4o-2024-11-20` is `gpt-4o`, and `claude-opus-4.5` is `claude-opus-4-5`: neither who passes it on, nor the day of its making, nor how a number is written changes the list price. */
function bareName(model: string): string {
  return model
    .toLowerCase()
    .replace(/^.*\//, '')
    .replace(/-latest$/, '')
    .replace(/[-@](?:\d{4}-\d{2}-\d{2}|\d{8})$/, '')
    .replaceAll('.', '-')
}

function parseRows(text: string): z.output<typeof Row>[] {
  try {
    return z.array(Row).parse(JSON.parse(text))
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' ') : 'it is no JSON'
    throw new RefusedError(
      `The prices of KODO_PRICES cannot be used: ${why}. It is a JSON list like [{"model": "my-model", "input": 1, "output": 4}], in US dollars a million tokens.`,
      {
        code: 'bad_prices',
        cause: error,
      },
    )
  }
}

function ratesOf({
  input,
  output,
  cache_read: cacheRead,
  cache_write: cacheWrite,
}: Pick<z.output<typeof Row>, 'input' | 'output' | 'cache_read' | 'cache_write'>): Rates {
  return { input, output, cacheRead, cacheWrite }
}
