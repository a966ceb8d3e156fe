// Goal: the admin store on a SQLite file keeps the contract; what is wrong with a file or folder is said with the remedy.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { adminSchemaVersion, openAdminStore } from '../open-admin-store.ts'
import { describeAdminStore, expectAuditStays } from './admin-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'koco-admin-'))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0
const newPath = () => join(folder, `store-${++count}`, 'admin.db')

describeAdminStore('admin store on SQLite', async () => ({ url: `sqlite:///${newPath()}`, dispose: async () => undefined }))

test('the database refuses to change an entry of the audit log', async () => {
  const path = newPath()
  const store = await openAdminStore({ url: `sqlite:///${path}`, migrate: true })
  const file = new Database(path)
  await expectAuditStays(store, async (text) => file.exec(text))
  file.close()
  await store.close()
})

test('asking for the version makes no file', async () => {
  const path = newPath()
  expect(await adminSchemaVersion({ url: `sqlite:///${path}` })).toMatchObject({ found: 0 })
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined()
})

test('a file of something else is refused', async () => {
  const path = join(folder, 'text.db')
  writeFileSync(path, 'this is not a database, it is a text of some length')
  await expect(openAdminStore({ url: `sqlite:///${path}`, migrate: true })).rejects.toMatchObject({ code: 'bad_database_file' })
})

test('a folder that is a file is refused', async () => {
  const path = join(folder, 'plain')
  writeFileSync(path, '')
  await expect(openAdminStore({ url: `sqlite:///${path}/admin.db`, migrate: true })).rejects.toMatchObject({ code: 'bad_data_folder' })
})

test('a database of a newer koco is refused, with or without migrating', async () => {
  const path = newPath()
  const url = `sqlite:///${path}`
  await (await openAdminStore({ url, migrate: true })).close()
  const file = new Database(path)
  file.exec(`insert into schema_migrations (store, version, name, applied_at) values ('admin', 99, 'future', 0)`)
  file.close()
  for (const migrate of [true, false]) await expect(openAdminStore({ url, migrate })).rejects.toMatchObject({ code: 'schema_newer' })
})
