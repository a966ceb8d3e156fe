// Goal: the spooler's promises, distributed: Redis Streams and Postgres. Method: the contract suite; then what only Redis can do: strangers in a stream.
import { migrateExecutionStore, openExecutionStore } from '@koco/storage'
import { createDatabase, keyPrefix } from '@koco/testing'
import { createRedisTransport } from '@koco/transport/redis'
import { inject } from 'vitest'
import type { SpoolerFixture } from './contract/fixture.ts'
import { describeSpooler } from './contract/spooler-suite.ts'

async function open(): Promise<SpoolerFixture> {
  const database = await createDatabase(inject('postgresUrl'))
  await migrateExecutionStore({ url: database.url })
  const store = await openExecutionStore({ url: database.url })
  const options = { url: inject('redisUrl'), streamPrefix: `${keyPrefix()}events:`, leaseMs: 500 }
  const transport = createRedisTransport(options)
  const others: { close(): Promise<void> }[] = []
  return {
    store,
    transport,
    async links(name) {
      const own = createRedisTransport(options)
      others.push(own)
      return { consumer: own.consumer(name), signals: own.signals, kill: () => own.close() }
    },
    async dispose() {
      for (const one of [...others, transport, store]) await one.close()
      await database.drop()
    },
  }
}

describeSpooler('Redis and Postgres', open)
