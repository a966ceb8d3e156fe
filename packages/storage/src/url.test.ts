// Goal: an address that people copy from a SQLAlchemy setting works; a wrong one is refused with the remedy and without its password.
import { RefusedError } from '@koco/core'
import { expect, test } from 'vitest'
import { maskDatabaseUrl, parseDatabaseUrl } from './url.ts'

test.each([
  ['sqlite:///./data/admin.db', './data/admin.db'],
  ['sqlite+aiosqlite:///./x.db', './x.db'],
  ['sqlite:///x.db', 'x.db'],
  ['sqlite:////var/lib/koco/admin.db', '/var/lib/koco/admin.db'],
  ['sqlite:///my%20data/a.db?timeout=5', 'my data/a.db'],
])('%s is a file', (text, path) => {
  expect(parseDatabaseUrl(text)).toEqual({ kind: 'sqlite', path })
})

test.each([
  ['postgresql+asyncpg://u:p@h:5432/d', 'postgresql://u:p@h:5432/d'],
  ['postgresql+psycopg2://u@h/d', 'postgresql://u@h/d'],
  ['postgres://h/d', 'postgresql://h/d'],
  ['  POSTGRESQL://h/d?sslmode=require ', 'postgresql://h/d?sslmode=require'],
  ['postgresql+asyncpg://u:p@h/d?ssl=require', 'postgresql://u:p@h/d?sslmode=require'],
])('%s is a Postgres database', (text, url) => {
  expect(parseDatabaseUrl(text)).toEqual({ kind: 'postgres', url })
})

test.each([
  ['', 'has no scheme'],
  ['./data/admin.db', 'has no scheme'],
  ['mysql://root:secret@h/d', 'names mysql'],
  ['postgresql//root:secret@h/d', 'has no scheme'],
  ['root:secret@h/d', 'has no scheme'],
  ['sqlite://data/admin.db', 'three slashes'],
  ['sqlite:///', 'no file'],
  ['sqlite:///:memory:', 'no file'],
  ['sqlite:///data/', 'no file'],
  ['sqlite:///a%zz.db', '%25'],
  ['postgresql://u:secret@h:5432', 'no database'],
  ['postgresql://u:sec#ret@h:5432/d', 'well formed'],
])('%s is refused', (text, why) => {
  const refusal = thrownBy(() => parseDatabaseUrl(text))
  expect(refusal).toBeInstanceOf(RefusedError)
  expect(refusal).toMatchObject({ code: 'bad_database_url' })
  expect(String(refusal)).toContain(why)
  expect(String(refusal)).not.toMatch(/secret|sec#ret/)
})

test('a password never shows', () => {
  expect(maskDatabaseUrl('postgresql://u:p@ss@h/d?sslpassword=q')).toBe('postgresql://u:***@h/d?sslpassword=***')
  expect(maskDatabaseUrl('sqlite:///./x.db')).toBe('sqlite:///./x.db')
})

function thrownBy(act: () => unknown): unknown {
  try {
    act()
    return undefined
  } catch (error) {
    return error
  }
}
