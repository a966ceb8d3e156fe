// Goal: settings come from one schema, and whatever is wrong is one sentence with the remedy. Method: small environments, a throw-away folder for .env and secret files.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RefusedError } from '@koco/core'
import { newFolder } from '@koco/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dataFolder, isEmbedded, panelListen, parseAddress } from './addresses.ts'
import { needsSharedTransport } from './combinations.ts'
import { nearest } from './nearest.ts'
import { readSettings, type SettingSources } from './read.ts'
import { listSettings, settingsTable } from './schema.ts'

let cwd: string
beforeEach(() => {
  cwd = newFolder('settings')
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const read = (env: Record<string, string> = {}, flags: SettingSources['flags'] = {}) => readSettings({ env, flags, cwd })
function refusal(env: Record<string, string>): string {
  try {
    read(env)
  } catch (error) {
    if (error instanceof RefusedError && error.code === 'bad_settings') return error.message
    throw error
  }
  return 'accepted'
}

test('nothing is needed: the defaults are the embedded product', () => {
  const settings = read()
  expect(settings).toMatchObject({
    appServer: 'http://localhost:3370',
    eventTransport: 'memory',
    executionMode: 'direct',
    auth: 'on',
    spoolerBatchTimeout: 0.01,
  })
  expect(isEmbedded(settings)).toBe(true)
  expect(dataFolder(settings, cwd)).toBe(join(cwd, 'data'))
})

test('a flag wins over the environment, the environment over .env; an empty variable is not set', () => {
  writeFileSync(join(cwd, '.env'), 'KODO_LOG_LEVEL=debug\nKODO_AUTH=off\nKODO_REDIS_BLOCK_MS=50\n')
  const settings = read({ KODO_LOG_LEVEL: 'warn', KODO_AUTH: '', KODO_EXEC_DIR: './e' }, { logLevel: 'error' })
  expect(settings).toMatchObject({ logLevel: 'error', auth: 'off', redisBlockMs: 50, execDir: './e' })
})

test('a secret may come from a file, but not from both', () => {
  writeFileSync(join(cwd, 'password'), 'correct horse\n')
  expect(read({ KODO_ADMIN_PASSWORD_FILE: 'password' }).adminPassword).toBe('correct horse')
  expect(refusal({ KODO_ADMIN_PASSWORD_FILE: 'password', KODO_ADMIN_PASSWORD: 'another one' })).toContain('both set')
  expect(refusal({ KODO_ADMIN_PASSWORD_FILE: 'nothing' })).toContain('cannot be read (ENOENT)')
})

test('sign-in with a provider is set up whole or not at all', () => {
  expect(refusal({ KODO_GITHUB_CLIENT_ID: 'x' })).toContain('KODO_GITHUB_CLIENT_SECRET')
  expect(refusal({ KODO_OIDC_ISSUER: 'https://id.example', KODO_OIDC_CLIENT_ID: 'x' })).toContain('KODO_OIDC_CLIENT_SECRET')
  expect(read({ KODO_OIDC_ISSUER: 'https://id.example/', KODO_OIDC_CLIENT_ID: 'x', KODO_OIDC_CLIENT_SECRET: 'y' }).oidcIssuer).toBe('https://id.example')
})

test('an unknown name is refused with the nearest one; families of tests and examples are let through', () => {
  expect(refusal({ KODO_EXECDIR: 'x' })).toBe('KODO_EXECDIR is no setting of koco; did you mean KODO_EXEC_DIR?')
  expect(refusal({ KODO_TEST_REDIS_URL: 'x', KODO_LLM_KEY: 'x', OTHER: 'x' })).toBe('accepted')
})

test('every fault is told at once, and no secret is shown', () => {
  const text = refusal({ KODO_AUTH: 'maybe', KODO_REDIS_BLOCK_MS: '-1', KODO_ADMIN_PASSWORD: 'admin', KODO_APP_SERVER: 'localhost' })
  expect(text.split('\n')).toHaveLength(4)
  expect(text).toContain('KODO_AUTH "maybe"')
  expect(text).not.toContain('KODO_ADMIN_PASSWORD "')
})

test.each([
  [{ KODO_EXECUTION_MODE: 'temporal' }, 'set KODO_EVENT_TRANSPORT=redis'],
  [{ KODO_EVENT_TRANSPORT: 'redis' }, 'needs KODO_REDIS_URL'],
  [{ KODO_ADMIN_DATABASE: 'postgresql://h/d' }, 'KODO_SECRET_KEY'],
  [{ KODO_EXECUTION_DATABASE: 'sqlite:///./x.db' }, 'KODO_EXEC_DIR'],
  [{ KODO_ADMIN_DATABASE: 'mysql://h/d' }, 'postgresql://'],
  [{ KODO_FILES: 'panel' }, 'set KODO_API_KEY'],
  [{ KODO_TEMPORAL_TLS_CA: 'ca.pem', KODO_TEMPORAL_TLS_CERT: 'c.pem' }, 'KODO_TEMPORAL_TLS_KEY'],
  [{ KODO_TEMPORAL_TLS_CERT: 'c.pem', KODO_TEMPORAL_TLS_KEY: 'k.pem' }, 'KODO_TEMPORAL_TLS_CA'],
  [{ KODO_AUTH: 'off', KODO_APP_SERVER: 'http://0.0.0.0:3370' }, 'would open'],
  [{ KODO_AUTH: 'off', KODO_LISTEN: '0.0.0.0:3370' }, 'would open'],
  [{ KODO_LISTEN: 'everywhere' }, 'must be host:port'],
  [{ KODO_APP_SERVER: 'https://koco.example.com' }, 'set KODO_LISTEN'],
])('%o cannot work, and the sentence says what to set', (env, remedy) => {
  expect(refusal(env)).toContain(remedy)
})

test("SQLAlchemy's addresses mean the same as the plain ones", () => {
  const settings = read({ KODO_ADMIN_DATABASE: 'sqlite+aiosqlite:////var/koco/admin.db', KODO_EXECUTION_DATABASE: 'postgresql+asyncpg://koco@h/d' })
  expect(dataFolder(settings, cwd)).toBe('/var/koco')
  expect(isEmbedded(settings)).toBe(false)
})

test('commands of several processes need a transport that they share', () => {
  expect(needsSharedTransport(read(), 'spool')).toContain('KODO_EVENT_TRANSPORT=redis')
  expect(needsSharedTransport(read({ KODO_EVENT_TRANSPORT: 'redis', KODO_REDIS_URL: 'redis://h' }), 'spool')).toBeUndefined()
})

test.each([
  ['http://localhost', { host: 'localhost', port: 3370, loopback: true }],
  ['http://127.0.0.9:80', { host: '127.0.0.9', port: 80, loopback: true }],
  ['http://[::1]:4000', { host: '::1', port: 4000, loopback: true }],
  ['http://example.com:4000/', { host: 'example.com', port: 4000, loopback: false }],
])('%s listens there', (address, expected) => expect(parseAddress(address)).toEqual(expected))

test('the panel may listen elsewhere than where it is found', () => {
  expect(panelListen(read({ KODO_LISTEN: '0.0.0.0:3370', KODO_APP_SERVER: 'https://koco.example.com' }))).toMatchObject({ host: '0.0.0.0', port: 3370 })
  expect(panelListen(read({ KODO_APP_SERVER: 'http://localhost:4000' }))).toMatchObject({ host: 'localhost', port: 4000 })
})

test('the nearest name takes the fewest edits', () => {
  expect(nearest('KODO_REDDIS_URL', ['KODO_REDIS_URL', 'KODO_EXEC_DIR'])).toBe('KODO_REDIS_URL')
  expect(nearest('x', [])).toBeUndefined()
})

test("the README's table of settings is the schema's", () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const table = /<!-- settings -->\s*([\s\S]*?)\s*<!-- \/settings -->/.exec(readme)?.[1] ?? ''
  // The formatter aligns the columns.
  const plain = (text: string) => text.replaceAll(/ *\| */g, '|').replaceAll(/-{3,}/g, '---')
  expect(plain(table)).toBe(plain(settingsTable()))
})

test('every setting has a flag and a line of help, and no two share one', () => {
  const all = listSettings()
  expect(new Set(all.map(({ flag }) => flag)).size).toBe(all.length)
  expect(all.filter(({ help }) => help === '')).toEqual([])
})
