// Goal: a process that is started with the variables of some settings reads the same settings. Method: there and back, with settings of every kind.
import { expect, test } from 'vitest'
import { readSettings } from './read.ts'
import { settingsEnv } from './to-env.ts'

const cwd = '/nowhere'

test('settings survive the way through the environment', () => {
  const env = { KODO_CORS_ORIGINS: 'https://a.example, https://b.example', KODO_LOCK_EXPIRES: '1.5', KODO_AUTH: 'off', KODO_METRICS: 'localhost:9000' }
  const settings = readSettings({ env, flags: { redisStreamPrefix: 'x:events:' }, cwd })
  expect(readSettings({ env: settingsEnv(settings), flags: {}, cwd })).toEqual(settings)
})

test('a change wins, and null leaves a setting out', () => {
  const settings = readSettings({ env: { KODO_METRICS: 'localhost:9000' }, flags: {}, cwd })
  const changed = readSettings({ env: settingsEnv(settings, { metrics: null, logLevel: 'warn' }), flags: {}, cwd })
  expect([changed.metrics, changed.logLevel]).toEqual([undefined, 'warn'])
})
