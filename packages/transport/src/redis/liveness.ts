import type { LivenessBoard, LivingWorker, LostWorker } from '../port.ts'
import type { Connection } from './connections.ts'
import type { RedisKeys } from './keys.ts'
import { Script } from './script.ts'

/*
 * Two keys: a sorted set of the workers by the time of their last beat, and a hash that gives the worker of each task. Times are of Redis' own clock, so that the clocks of machines do not matter.
 */
const NOW = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`

/** beat: KEYS workers · ARGV worker */
const beatScript = new Script(`${NOW}
redis.call('ZADD', KEYS[1], now(), ARGV[1])
return 1
`)

/** drop: KEYS tasks · ARGV worker, task · only while the task is the worker's. */
const dropScript = new Script(`
if redis.call('HGET', KEYS[1], ARGV[2]) == ARGV[1] then return redis.call('HDEL', KEYS[1], ARGV[2]) end
return 0
`)

/** lost: KEYS workers, tasks · ARGV lifeMs, claimMs · gives the silent workers, then pairs of task and worker. A later beat in their place keeps others away for the claim. */
const lostScript = new Script(`${NOW}
local at = now()
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. (at - ARGV[1]))
if #dead == 0 then return { {}, {} } end
for _, worker in ipairs(dead) do redis.call('ZADD', KEYS[1], at - ARGV[1] + ARGV[2], worker) end
return { dead, redis.call('HGETALL', KEYS[2]) }
`)

/** forget: KEYS workers, tasks · ARGV worker */
const forgetScript = new Script(`
redis.call('ZREM', KEYS[1], ARGV[1])
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  if all[i + 1] == ARGV[1] then redis.call('HDEL', KEYS[2], all[i]) end
end
return 1
`)

/** workers: KEYS workers, tasks · gives now, workers with the times of their beats, and the worker of each task. */
const workersScript = new Script(`${NOW}
return { now(), redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), redis.call('HVALS', KEYS[2]) }
`)

/** The board over Redis. */
export class RedisLiveness implements LivenessBoard {
  readonly lifeMs: number
  readonly #link: Connection
  readonly #keys: readonly [string, string]

  constructor(link: Connection, keys: RedisKeys, lifeMs: number) {
    this.lifeMs = lifeMs
    this.#link = link
    this.#keys = [keys.workers, keys.tasks]
  }

  async beat(worker: string): Promise<void> {
    await this.#link.run('note that a worker lives', (redis) => beatScript.run(redis, [this.#keys[0]], [worker]))
  }

  async take(worker: string, task: string): Promise<void> {
    await this.#link.run('note the task of a worker', (redis) => redis.hset(this.#keys[1], task, worker))
  }

  async drop(worker: string, task: string): Promise<void> {
    await this.#link.run('note the end of a task', (redis) => dropScript.run(redis, [this.#keys[1]], [worker, task]))
  }

  async lost(claimMs: number): Promise<readonly LostWorker[]> {
    const reply = await this.#link.run('look for lost workers', (redis) => lostScript.run(redis, this.#keys, [this.lifeMs, claimMs]))
    const [dead, tasks] = reply as [string[], string[]]
    return dead.map((worker) => ({ worker, tasks: tasks.filter((_, index) => index % 2 === 0 && tasks[index + 1] === worker) }))
  }

  async forget(worker: string): Promise<void> {
    await this.#link.run('forget a worker', (redis) => forgetScript.run(redis, this.#keys, [worker]))
  }

  async workers(): Promise<readonly LivingWorker[]> {
    const reply = await this.#link.run('list the workers', (redis) => workersScript.run(redis, this.#keys, []))
    const [now, beats, owners] = reply as [number, string[], string[]]
    const pairs = beats.flatMap((worker, index) => (index % 2 === 0 ? [[worker, Number(beats[index + 1])] as const] : []))
    return pairs.map(([worker, at]) => ({ worker, tasks: owners.filter((owner) => owner === worker).length, silentMs: Math.max(0, now - at) }))
  }
}
