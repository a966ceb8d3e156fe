// Goal: the direct launcher keeps the contract over Redis, where an append is acknowledged before the store has it. Method: the contract suite over a real Redis, a spooler and SQLite in a throw-away folder.
import { createSqliteExecutionStore } from '@koco/storage/sqlite'
import { keyPrefix } from '@koco/testing'
import { createRedisTransport } from '@koco/transport/redis'
import { inject } from 'vitest'
import { describeChildren, describeLauncher } from '../contract/index.ts'
import { newDir, onGround, openGround } from '../contract/embedded.ts'

const overRedis = onGround(async () => {
  const { dir, remove } = await newDir()
  const transport = createRedisTransport({ url: inject('redisUrl'), streamPrefix: `${keyPrefix()}events:` })
  const ground = openGround(await createSqliteExecutionStore({ dir, migrate: true }), transport)
  return { ...ground, close: () => ground.close().then(remove) }
})

describeLauncher('direct, Redis, SQLite', overRedis)
describeChildren('direct, Redis, SQLite', overRedis)
