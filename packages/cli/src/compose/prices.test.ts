// Goal: an operator's prices are read from where the setting says, seen from the folder where koco is started, and a file that is no list of prices stops it with a sentence. Method: files of a throw-away folder.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIST_PRICES } from '@koco/panel'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { settingsSchema, type Settings } from '../settings/schema.ts'
import { pricesOf } from './prices.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'koco-prices-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const settings = (prices?: string): Settings => settingsSchema.parse(prices === undefined ? {} : { prices })

test('without a file the list prices hold; with one it stands in front of them', async () => {
  expect(pricesOf(settings(), dir)).toBe(LIST_PRICES)
  await writeFile(join(dir, 'prices.json'), '[{"model": "gpt-4o", "input": 1, "output": 2}]')
  const prices = pricesOf(settings('prices.json'), dir)
  expect(prices.filter(({ model }) => model === 'gpt-4o')).toMatchObject([{ input: 1, output: 2 }])
  expect(prices).toHaveLength(LIST_PRICES.length)
})

test('a file that is not there, or no list of prices, is refused with a sentence', async () => {
  expect(() => pricesOf(settings('nowhere.json'), dir)).toThrow(/^The file of KODO_PRICES cannot be read: .*nowhere\.json/)
  await writeFile(join(dir, 'prices.json'), '{"gpt-4o": 1}')
  expect(() => pricesOf(settings('prices.json'), dir)).toThrow(/^The prices of KODO_PRICES cannot be used: .*a million tokens\.$/)
})
