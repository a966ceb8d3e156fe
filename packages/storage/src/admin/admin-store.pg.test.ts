// Goal: the admin store on Postgres keeps the contract; a server that is away or refuses is said with the remedy.
import { createDatabase } from '@koco/testing'
import { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import { migrateAdminStore, openAdminStore } from '../open-admin-store.ts'
import { describeAdminStore, expectAuditStays } from './admin-contract.ts'

describeAdminStore('admin store on Postgres', async () => {
  const { url, drop } = await createDatabase(inject('postgresUrl'))
  return { url, dispose: drop }
})

test('the database refuses to change an entry of the audit log', async () => {
  await using database = await createDatabase(inject('postgresUrl'))
  const store = await openAdminStore({ url: database.url, migrate: true })
  const client = new Client(database.url)
  await client.connect()
  await expectAuditStays(store, (text) => client.query(text))
  await client.end()
  await store.close()
})

test('nobody listening is an outage', async () => {
  await expect(openAdminStore({ url: 'postgresql://u:secret@127.0.0.1:1/d' })).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.not.stringContaining('secret'),
  })
})

test('a database that does not exist is refused', async () => {
  const url = new URL(inject('postgresUrl'))
  url.pathname = '/nowhere'
  await expect(openAdminStore({ url: url.href })).rejects.toMatchObject({ code: 'database_refused' })
})

test('two processes may create the tables at once', async () => {
  await using database = await createDatabase(inject('postgresUrl'))
  const steps = await Promise.all([migrateAdminStore(database), migrateAdminStore(database)])
  expect(steps.filter((taken) => taken.length > 0)).toHaveLength(1)
})
