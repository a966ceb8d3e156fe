// Goal: whatever stands in the environment, settings are accepted or refused in words; no secret gets into the words, and what is accepted can be used. Method: random environments over all variables; a failure prints its seed.
import { RefusedError } from '@koco/core'
import { newFolder } from '@koco/testing'
import fc from 'fast-check'
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminPlace, executionPlace } from '../compose/stores.ts'
import { dataFolder, isEmbedded, panelListen } from './addresses.ts'
import { readSettings } from './read.ts'
import { listSettings, type Settings } from './schema.ts'

let cwd: string
beforeAll(() => {
  cwd = newFolder('odd-settings')
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const MARK = 'sesame-7f3a'
const plausible = fc.constantFrom(
  'http://localhost:3370',
  'https://koco.example.com',
  'http://[::1]:1',
  'http://h:99999',
  'redis://:p@h:6379/3',
  'rediss://h',
  'postgresql+asyncpg://u:p@h:5432/d?sslmode=require',
  'postgresql//u:p@h/d',
  'u:p@h',
  'sqlite+aiosqlite:///./x.db',
  'sqlite:///%zz',
  'postgresql://[',
  'on',
  'off',
  'memory',
  'redis',
  'direct',
  'temporal',
  'localhost:7233',
  '0.0.0.0:3370',
  ':',
  'a@b.ch',
  './data',
  '/',
  '0',
  '10',
  '-1',
  '1e400',
  'NaN',
  '0x10',
  ' 5 ',
)
const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('a'.repeat(10_000), '%', '../..', 'null', '{}', '\u202E', "'; drop table runs"),
)
const variables = listSettings().flatMap(({ variable, secret }) => (secret ? [`KODO_${variable}`, `KODO_${variable}_FILE`] : [`KODO_${variable}`]))
const secrets = new Set(listSettings().flatMap(({ variable, secret }) => (secret ? [`KODO_${variable}`] : [])))
const environment = fc.dictionary(
  fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...variables) }, { weight: 1, arbitrary: odd.map((text) => `KODO_${text}`) }),
  fc.oneof({ weight: 3, arbitrary: plausible }, { weight: 1, arbitrary: odd }),
  { maxKeys: 5 },
)

/** A secret that can be told in a message: of an address only the password is one. */
function withMark(name: string, value: string): string {
  return name.endsWith('_DATABASE') || name.endsWith('_URL') ? value.replace(':p@', `:${MARK}@`) : `${value}${MARK}`
}

/** What the processes do with settings before they open anything. */
function use(settings: Settings): void {
  dataFolder(settings, cwd)
  isEmbedded(settings)
  panelListen(settings)
  adminPlace(settings, cwd)
  executionPlace(settings, cwd)
}

test('an environment is accepted and usable, or refused in words', () => {
  let accepted = 0
  fc.assert(
    fc.property(environment, (drawn) => {
      const env = Object.fromEntries(Object.entries(drawn).map(([name, value]) => [name, secrets.has(name) ? withMark(name, value) : value]))
      try {
        use(readSettings({ env, flags: {}, cwd }))
        accepted += 1
      } catch (error) {
        expect(error).toBeInstanceOf(RefusedError)
        const { message } = error as RefusedError
        expect(message).toMatch(/KODO_/)
        expect(message).not.toContain(MARK)
      }
    }),
    { numRuns: 1500 },
  )
  expect(accepted).toBeGreaterThan(100)
})
