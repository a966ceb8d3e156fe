// Goal: one Postgres database may hold both stores. Method: the tables of both made in one, in either order.
import { createDatabase } from '@koco/testing'
import { expect, inject, test } from 'vitest'
import { migrateAdminStore } from '../open-admin-store.ts'
import { migrateExecutionStore } from '../open-execution-store.ts'

test.for([[migrateAdminStore, migrateExecutionStore] as const, [migrateExecutionStore, migrateAdminStore] as const])(
  'both stores lie in one database',
  async ([first, second]) => {
    const { url, drop } = await createDatabase(inject('postgresUrl'))
    try {
      expect(await first({ url })).not.toEqual([])
      expect(await second({ url })).not.toEqual([])
    } finally {
      await drop()
    }
  },
)
