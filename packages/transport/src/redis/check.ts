import { RefusedError } from '@koco/core'
import type { Connection } from './connections.ts'
import type { RedisKeys } from './keys.ts'
import { infoField } from './memory-gauge.ts'

/** Throws unless Redis is up, new enough, keeps what it is given, and takes a write now. */
export async function checkRedis(link: Connection, keys: RedisKeys): Promise<void> {
  const info = await link.run('say who it is', (redis) => redis.info())
  const version = infoField(info, 'redis_version') ?? 'unknown'
  if (!(Number.parseInt(version, 10) >= 7)) {
    throw new RefusedError(`Redis at ${link.address} is version ${version}; koco needs 7.0 or later. Upgrade it.`, { code: 'redis_too_old' })
  }
  if (infoField(info, 'redis_mode') === 'cluster') {
    throw new RefusedError(`Redis at ${link.address} runs in cluster mode, which koco does not support. Use one primary, with replicas if you like.`, {
      code: 'redis_cluster',
    })
  }
  const policy = infoField(info, 'maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    throw new RefusedError(
      `Redis at ${link.address} may throw events away: its maxmemory-policy is ${policy}. Set it to noeviction (CONFIG SET maxmemory-policy noeviction, and in redis.conf).`,
      { code: 'redis_evicts' },
    )
  }
  await link.run('take a write', (redis) => redis.set(keys.probe, '1', 'PX', 1000))
}
