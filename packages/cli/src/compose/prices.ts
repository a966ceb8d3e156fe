import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { RefusedError } from '@koco/core'
import { LIST_PRICES, withOwnPrices, type Price } from '@koco/panel'
import type { Settings } from '../settings/schema.ts'

/** What models cost: the list prices, and in their place those of the operator's file. RefusedError for a file that cannot be read or says something else. */
export function pricesOf({ prices }: Settings, cwd: string): readonly Price[] {
  return prices === undefined ? LIST_PRICES : withOwnPrices(readText(resolve(cwd, prices)), LIST_PRICES)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new RefusedError(`The file of KODO_PRICES cannot be read: ${error instanceof Error ? error.message : String(error)}.`, {
      code: 'bad_prices',
      cause: error,
    })
  }
}
