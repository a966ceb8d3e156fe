import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { DistributedWorld } from '../distributed-world.ts'
import type { Nemesis } from '../world.ts'

/** kill -9 and start: what the append-only file has is there again. */
export const redisRestarted: Nemesis<DistributedWorld> = {
  kind: 'Redis restarted with its data',
  victim: 'redis',
  trace: /redis_unavailable|the transport does not answer/,
  async strike({ redis }, dice) {
    await redis.kill()
    await delay(dice.hold(500, 10_000))
    await redis.restart()
  },
}

/** kill -9 and start with an empty folder. */
export const redisReplaced: Nemesis<DistributedWorld> = {
  kind: 'Redis restarted without its data',
  victim: 'redis',
  trace: /redis_unavailable|the transport does not answer/,
  forgets: 'stream',
  async strike({ redis }, dice) {
    await redis.kill()
    await delay(dice.hold(500, 10_000))
    await redis.restart({ wipe: true })
  },
}

/** FLUSHALL by somebody, in the middle of everything. */
export const redisWiped: Nemesis<DistributedWorld> = {
  kind: 'Redis wiped',
  victim: 'redis',
  trace: /stream .* was gone/,
  forgets: 'stream',
  strike: ({ redis }) => withRedis(redis.url, async (direct) => void (await direct.flushall())),
}

/** maxmemory below what is used: every command that could need memory is refused. */
export const redisFull: Nemesis<DistributedWorld> = {
  kind: 'Redis out of memory',
  victim: 'redis',
  trace: /redis_full|OOM/,
  strike: ({ redis }, dice) =>
    withRedis(redis.url, async (direct) => {
      await direct.config('SET', 'maxmemory', '1mb')
      await delay(dice.hold(3000, 15_000))
      await direct.config('SET', 'maxmemory', '0')
    }),
}

/** Redis becomes a replica of a primary that is not there, as in a failover that went half way. */
export const redisReadOnly: Nemesis<DistributedWorld> = {
  kind: 'Redis made read-only',
  victim: 'redis',
  trace: /redis_readonly|READONLY/,
  strike: ({ redis }, dice) =>
    withRedis(redis.url, async (direct) => {
      await direct.replicaof('127.0.0.1', 1)
      await delay(dice.hold(3000, 15_000))
      await direct.replicaof('NO', 'ONE')
    }),
}

/** Somebody adds entries of their own to streams of runs: with an id of Redis' choice, or in the place of the next event. */
export const strangerWrites: Nemesis<DistributedWorld> = {
  kind: 'stranger writes into streams',
  victim: 'redis',
  trace: /was set aside as dead \(foreign\)/,
  strike: ({ redis }, dice) =>
    withRedis(redis.url, async (direct) => {
      for (const key of await direct.keys('kodo:events:*')) {
        const [last] = await direct.xrevrange(key, '+', '-', 'COUNT', 1)
        const [epoch, seq] = (last?.[0] ?? '1-0').split('-').map(Number)
        // One that the run itself was faster than is none.
        await direct.xadd(key, dice.oneOf(['*', `${epoch}-${(seq ?? 0) + 1}`]), 'hello', 'world').catch(() => undefined)
        await delay(dice.between(0, 100))
      }
    }),
}

async function withRedis(url: string, work: (direct: Redis) => Promise<void>): Promise<void> {
  const direct = new Redis(url)
  try {
    await work(direct)
  } finally {
    direct.disconnect()
  }
}
