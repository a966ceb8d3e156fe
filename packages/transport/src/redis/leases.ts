import type { Lease, LeaseCounter } from '../port.ts'
import type { Connection } from './connections.ts'
import type { RedisKeys } from './keys.ts'
import { Script } from './script.ts'

/*
 * One sorted set for each name: its holders by when their leases end, in ms of Redis' own clock. The key goes with its last lease.
 */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** take: KEYS held · ARGV holder, lifeMs, max · 1 when taken. */
const takeScript = new Script(`${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`)

/** renew: KEYS held · ARGV lifeMs, holders… */
const renewScript = new Script(`${NOW}
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
`)

/** count: KEYS held */
const countScript = new Script(`${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZCARD', KEYS[1])
`)

/** Counted leases in Redis: every process of the installation counts together. */
export class RedisLeases implements LeaseCounter {
  readonly lifeMs: number
  readonly #link: Connection
  readonly #keys: RedisKeys

  constructor(link: Connection, keys: RedisKeys, lifeMs: number) {
    this.#link = link
    this.#keys = keys
    this.lifeMs = lifeMs
  }

  async take({ name, holder }: Lease, max: number): Promise<boolean> {
    const reply = await this.#link.run('count a connection', (redis) => takeScript.run(redis, [this.#keys.held(name)], [holder, this.lifeMs, max]))
    return reply === 1
  }

  async renew(leases: readonly Lease[]): Promise<void> {
    const byName = Map.groupBy(leases, ({ name }) => name)
    await this.#link.run('prolong the count of connections', (redis) =>
      Promise.all([...byName].map(([name, some]) => renewScript.run(redis, [this.#keys.held(name)], [this.lifeMs, ...some.map(({ holder }) => holder)]))),
    )
  }

  async release({ name, holder }: Lease): Promise<void> {
    await this.#link.run('count a connection no more', (redis) => redis.zrem(this.#keys.held(name), holder))
  }

  async count(name: string): Promise<number> {
    return Number(await this.#link.run('count the connections', (redis) => countScript.run(redis, [this.#keys.held(name)], [])))
  }
}
