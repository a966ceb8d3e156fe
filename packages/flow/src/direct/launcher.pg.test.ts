// Goal: the direct launcher keeps the contract in the distributed shape. Method: the contract suite over a real Redis, a spooler and a real Postgres.
import { createPostgresExecutionStore } from '@koco/storage/postgres'
import { createDatabase, keyPrefix } from '@koco/testing'
import { createRedisTransport } from '@koco/transport/redis'
import { inject } from 'vitest'
import { describeChildren, describeLauncher } from '../contract/index.ts'
import { onGround, openGround } from '../contract/embedded.ts'

const distributed = onGround(async () => {
  const database = await createDatabase(inject('postgresUrl'))
  const transport = createRedisTransport({ url: inject('redisUrl'), streamPrefix: `${keyPrefix()}events:` })
  const ground = openGround(await createPostgresExecutionStore({ url: database.url, migrate: true }), transport)
  return { ...ground, close: () => ground.close().then(() => database.drop()) }
})

describeLauncher('direct, Redis, Postgres', distributed)
describeChildren('direct, Redis, Postgres', distributed)
