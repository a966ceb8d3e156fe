// Goal: the calls shown can be pasted as they are. Method: names and values that shells take apart.
import { expect, test } from 'vitest'
import { cliCall, curlCall, typescriptCall } from './calls.ts'
import { exampleInputs } from './example-inputs.ts'

test('values are quoted for a shell', () => {
  expect(cliCall('trip', { city: "L'Aquila", days: 3, dry: true })).toBe(
    `koco run trip \\\n  --input 'city=L'\\''Aquila' \\\n  --input days=3 \\\n  --input dry=true --follow`,
  )
  expect(curlCall('http://h', 'trip', {})).toContain(`-d '{"flow":"trip","inputs":{}}'`)
  expect(typescriptCall('http://h', "o'clock", { city: 'Rome' })).toContain(`koco.start("o'clock", {\n  "city": "Rome"\n})`)
})

test('the example has the required fields, and the defaults of the schema', () => {
  const schema = {
    type: 'object',
    required: ['city', 'days', 'mode'],
    properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 2 }, mode: { enum: ['a', 'b'] }, note: { type: 'string' } },
  }
  expect(exampleInputs(schema)).toEqual({ city: 'text', days: 2, mode: 'a' })
  expect(exampleInputs({ type: 'object', properties: { x: { type: 'string', default: '.' } }, required: ['x'] })).toEqual({ x: '.' })
})

test('a file is sent by the command, and named by its upload over HTTP', () => {
  const inputs = exampleInputs({ properties: { doc: { type: 'string', format: 'file' } }, required: ['doc'] })
  expect(cliCall('read', inputs)).toContain('--input doc=@path')
  expect(curlCall('http://x', 'read', inputs)).toContain('"doc":"id of an upload"')
})
