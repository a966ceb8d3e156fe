// Goal: the SQLite store keeps every rule of the port. Method: the contract suite on a throw-away folder.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describeExecutionStore } from '../contract/execution-store.ts'
import type { StoreFixture } from '../contract/scenario.ts'
import { createSqliteExecutionStore } from './index.ts'

async function open(): Promise<StoreFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'koco-store-'))
  let store = await createSqliteExecutionStore({ dir, migrate: true })
  return {
    get store() {
      return store
    },
    async reopen() {
      await store.close()
      store = await createSqliteExecutionStore({ dir })
      return store
    },
    async damage(statement) {
      const db = new Database(join(dir, 'index.db'))
      db.exec(statement)
      db.close()
    },
    async dispose() {
      await store.close()
      await rm(dir, { recursive: true })
    },
  }
}

describeExecutionStore('SQLite', open)
