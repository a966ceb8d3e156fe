// Goal: Postgres reads our binary arrays as the values that went in. Method: any arrays, through a real server and back.
import fc from 'fast-check'
import { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import { bigintArray, doubleArray, textArray } from './binary-array.ts'

const texts = fc.array(fc.option(fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\0', '').toWellFormed())), { maxLength: 20 })
const counts = fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { maxLength: 20 })
const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 20 })

test('values come back as they went in', async () => {
  const client = new Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  const there = async (type: string, value: Buffer) => (await client.query(`select to_json($1::${type}[]) as value`, [value])).rows[0]?.value as unknown
  await fc.assert(
    fc.asyncProperty(texts, counts, numbers, async (someTexts, someCounts, someNumbers) => {
      expect(await there('text', textArray(someTexts))).toEqual(someTexts)
      expect(await there('bigint', bigintArray(someCounts))).toEqual(someCounts)
      expect(await there('double precision', doubleArray(someNumbers))).toEqual(
        someNumbers.map((number) => (Object.is(number, -0) ? expect.closeTo(0) : number)),
      )
    }),
    { numRuns: 50 },
  )
  await client.end()
})

test('text beyond ASCII finds room', async () => {
  const client = new Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  const values = ['€'.repeat(1000), '🚂'.repeat(1000), 'plain', null, 'ü'.repeat(5000)]
  const result = await client.query('select to_json($1::text[]) as value', [textArray(values)])
  expect(result.rows[0]?.value).toEqual(values)
  await client.end()
})
