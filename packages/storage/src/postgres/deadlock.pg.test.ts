// Goal: whom Postgres ends because two wait for each other gets an answer all the same. Method: a transaction of other hands that closes the circle while the store waits.
import { createDatabase } from '@koco/testing'
import { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import { someRow } from '../contract/checkpoints.ts'
import { createPostgresExecutionStore } from './store.ts'

const WAITING = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`

test('a call that Postgres ended for a deadlock is made again', async () => {
  await using database = await createDatabase(inject('postgresUrl'))
  const client = new Client(database.url)
  await client.connect()
  // Whoever has waited this long looks for a circle and ends itself: the store here, the other one looks only when the store is long out of its way.
  await client.query(`do $$ begin execute format('alter database %I set deadlock_timeout = 200', current_database()); end $$`)
  await client.query(`set deadlock_timeout = '60s'`)
  const store = await createPostgresExecutionStore({ url: database.url, migrate: true })
  const parent = someRow()
  const child = someRow({ parent: parent.id })
  await store.checkpoints.insert(parent)
  await store.checkpoints.insert(child)

  await client.query('begin')
  await client.query('select from checkpoints where id = $1 for update', [child.id])
  const deleted = store.checkpoints.delete(parent.id)
  await expect.poll(async () => (await client.query(WAITING)).rowCount, { timeout: 10_000 }).toBe(1)
  await client.query('select from checkpoints where id = $1 for update', [parent.id])
  await client.query('commit')

  expect(await deleted).toBe('deleted')
  expect(await store.checkpoints.get(child.id)).toEqual({ ...child, parent: null })
  await store.close()
  await client.end()
})
