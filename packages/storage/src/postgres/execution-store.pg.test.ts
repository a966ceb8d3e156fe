// Goal: the execution store on Postgres keeps the contract of all stores. Method: the shared suite on a database of its own.
import { createDatabase } from '@koco/testing'
import { Client } from 'pg'
import { inject } from 'vitest'
import { describeExecutionStore } from '../contract/execution-store.ts'
import { createPostgresExecutionStore } from './store.ts'

describeExecutionStore('execution store on Postgres', async () => {
  const { url, drop } = await createDatabase(inject('postgresUrl'))
  let store = await createPostgresExecutionStore({ url, migrate: true })
  return {
    get store() {
      return store
    },
    async reopen() {
      await store.close()
      store = await createPostgresExecutionStore({ url })
      return store
    },
    async damage(statement) {
      const client = new Client(url)
      await client.connect()
      await client.query(statement)
      await client.end()
    },
    async dispose() {
      await store.close()
      await drop()
    },
  }
})
