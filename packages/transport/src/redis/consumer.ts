import { setTimeout as sleep } from 'node:timers/promises'
import { must, UnavailableError, type Position } from '@koco/core'
import type { ConsumerStatus, StreamBatch, StreamConsumer } from '../port.ts'
import type { Connection } from './connections.ts'
import { BLOCK_MS_MAX } from './connections.ts'
import { acquireScript, expireScript, releaseScript, renewScript, sweepScript, trimScript } from './consumer-scripts.ts'
import { Hold } from './hold.ts'
import type { RedisKeys } from './keys.ts'
import { MemoryGauge } from './memory-gauge.ts'
import { PageBudget } from './page-budget.ts'
import { GroupReader } from './reader.ts'
import { activePages, consumerStatus } from './status.ts'

/** What a consumer needs to know. Times in ms. */
export type ConsumerSettings = {
  readonly keys: RedisKeys
  readonly group: string
  readonly name: string
  /** What stands in the lease keys: unlike that of every other process, also of an earlier one of the same name. */
  readonly token: string
  readonly leaseMs: number
  readonly expireMs: number
  /** Acknowledged entries kept in each stream for inspection. */
  readonly keep: number
  /** The bound of what one read brings, as far as the size of entries can be foreseen. */
  readonly readBytesMax: number
  readonly clock: () => number
}

/** How often a consumer says that it lives. */
const PRESENCE_MS = 5000
const UNBLOCK_EVERY_MS = 50
const UNBLOCK_TRIES_MAX = 40

/** The spooler's side over Redis Streams. */
export class RedisConsumer implements StreamConsumer {
  readonly #commands: Connection
  readonly #blocking: Connection
  readonly #s: ConsumerSettings
  readonly #reader: GroupReader
  readonly #memory: MemoryGauge
  readonly #budget: PageBudget
  readonly #holds = new Map<string, Hold>()
  #seenAt = 0
  #closed = false
  #acquiring: Promise<unknown> = Promise.resolve()
  /** Resolves when no renewal is under way. */
  #renewing: Promise<void> = Promise.resolve()

  constructor(commands: Connection, blocking: Connection, settings: ConsumerSettings) {
    this.#commands = commands
    this.#blocking = blocking
    this.#s = settings
    this.#reader = new GroupReader(settings.group, settings.name)
    this.#memory = new MemoryGauge(settings.clock)
    this.#budget = new PageBudget(settings.readBytesMax)
  }

  acquire(max: number, waitMs: number): Promise<string[]> {
    const acquiring = this.#acquire(max, waitMs)
    this.#acquiring = acquiring
    return acquiring
  }

  async #acquire(max: number, waitMs: number): Promise<string[]> {
    const end = performance.now() + waitMs
    try {
      while (!this.#closed) {
        await this.#showPresence()
        const hinted = await this.#pop(max, end - performance.now())
        const taken = hinted.length > 0 ? await this.#lease(hinted) : []
        if (this.#closed) return []
        if (taken.length > 0 || performance.now() >= end) return taken
      }
    } catch (error) {
      if (!this.#closed) throw error
    }
    return []
  }

  /** Takes hints off the ready set; waits for the first. A hint that is lost from here on (a crash) is found by the sweep. */
  async #pop(max: number, waitMs: number): Promise<string[]> {
    const seconds = Math.max(1, Math.min(waitMs, BLOCK_MS_MAX)) / 1000
    const reply = await this.#blocking.run('wait for work', (redis) => {
      if (this.#closed) return Promise.resolve(null)
      return redis.call('BZMPOP', seconds, 1, this.#s.keys.ready, 'MIN', 'COUNT', max)
    })
    return Array.isArray(reply) ? (reply[1] as [string, string][]).map(([fid]) => fid) : []
  }

  async #lease(fids: readonly string[]): Promise<string[]> {
    const { group, token, leaseMs } = this.#s
    const reply = await this.#commands.run('take leases', (redis) => acquireScript.run(redis, this.#pairs(fids), [token, leaseMs, group]))
    return fids.filter((fid, i) => {
      const pending = must((reply as number[])[i], 'answer')
      if (pending !== -2) this.#holds.set(fid, new Hold(fid, this.#s.keys.stream(fid), pending > 0 ? '0-0' : null))
      return pending !== -2
    })
  }

  /** The lease keys, then the stream keys, of the same runs. */
  #pairs(fids: readonly string[]): string[] {
    return [...fids.map((fid) => this.#s.keys.lease(fid)), ...fids.map((fid) => this.#s.keys.stream(fid))]
  }

  async read(fids: readonly string[], countEach: number): Promise<StreamBatch[]> {
    const holds = this.#held(fids).filter((hold) => !hold.lost)
    if (holds.length === 0) return []
    const count = this.#budget.count(holds.length, countEach)
    try {
      const batches = await this.#commands.run('read', (redis) => this.#reader.read(redis, holds, count))
      this.#budget.note(batches)
      return batches
    } catch (error) {
      for (const hold of holds) hold.distrust()
      throw error
    }
  }

  #held(fids: readonly string[]): Hold[] {
    return fids.flatMap((fid) => this.#holds.get(fid) ?? [])
  }

  async ack(done: readonly { readonly fid: string; readonly upTo: Position }[]): Promise<void> {
    const work = done.flatMap(({ fid, upTo }) => {
      const hold = this.#holds.get(fid)
      const ids = hold?.idsTo(upTo) ?? []
      return hold && ids.length > 0 ? [{ hold, upTo, ids }] : []
    })
    if (work.length === 0) return
    const { group, keep } = this.#s
    await this.#commands.run('acknowledge', async (redis) => {
      const left = (await this.#memory.isTight(redis)) ? 0 : keep
      const pipeline = redis.pipeline()
      for (const { hold, ids } of work) pipeline.xack(hold.key, group, ...ids).xlen(hold.key)
      const lengths = repliesOf(await pipeline.exec()).filter((_, i) => i % 2 === 1)
      for (const { hold, upTo } of work) hold.forgetTo(upTo)
      const long = work.filter((_, i) => Number(lengths[i]) > left)
      await Promise.all(long.map(({ hold }) => trimScript.run(redis, [hold.key], [group, left])))
    })
  }

  async release(fids: readonly string[], again = false): Promise<void> {
    const held = fids.filter((fid) => this.#holds.has(fid))
    if (held.length === 0) return
    for (const fid of held) this.#holds.delete(fid)
    // A renewal that came to Redis behind this would take the leases again, and nobody would read these streams until they had run out.
    await this.#renewing
    const { group, token, keys, clock } = this.#s
    const args = [token, group, clock(), again ? '1' : '0', ...held]
    await this.#commands.run('give leases back', (redis) => releaseScript.run(redis, [...this.#pairs(held), keys.ready], args))
  }

  renew(fids: readonly string[]): Promise<string[]> {
    const renewing = this.#renew(fids)
    this.#renewing = Promise.allSettled([this.#renewing, renewing]).then(() => undefined)
    return renewing
  }

  async #renew(fids: readonly string[]): Promise<string[]> {
    const holds = this.#held(fids).filter((hold) => !hold.lost)
    if (holds.length === 0) return []
    await this.#showPresence()
    const leases = holds.map((hold) => this.#s.keys.lease(hold.fid))
    const reply = await this.#commands.run('renew leases', (redis) => renewScript.run(redis, leases, [this.#s.token, this.#s.leaseMs]))
    for (const [i, hold] of holds.entries()) hold.lost = (reply as number[])[i] !== 1
    return holds.filter((hold) => hold.lost && this.#holds.get(hold.fid) === hold).map(({ fid }) => fid)
  }

  async sweep(): Promise<number> {
    const { keys, group, clock } = this.#s
    await this.#showPresence()
    return this.#commands.run('sweep', async (redis) => {
      let hinted = 0
      for await (const fids of activePages(redis, keys.active)) {
        const reply = await sweepScript.run(redis, [...this.#pairs(fids), keys.active, keys.ready], [group, clock(), ...fids])
        hinted += (reply as number[]).reduce((sum, one) => sum + one, 0)
      }
      return hinted
    })
  }

  async expire(fids: readonly string[]): Promise<void> {
    if (fids.length === 0) return
    const { keys, group, expireMs } = this.#s
    const streams = fids.map((fid) => keys.stream(fid))
    await this.#commands.run('let streams expire', (redis) => expireScript.run(redis, [...streams, keys.active], [group, expireMs, ...fids]))
  }

  async status(): Promise<ConsumerStatus[]> {
    return this.#commands.run('read the status', (redis) => consumerStatus(redis, this.#s.keys, this.#s.group, this.#s.clock()))
  }

  async #showPresence(): Promise<void> {
    const { keys, name, clock } = this.#s
    const now = clock()
    if (now - this.#seenAt < PRESENCE_MS) return
    this.#seenAt = now
    await this.#commands.run('show presence', (redis) => redis.zadd(keys.consumers, now, name))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.#endWait()
      await this.release([...this.#holds.keys()])
      await this.#commands.run('sign off', (redis) => redis.zrem(this.#s.keys.consumers, this.#s.name))
    } catch (error) {
      // Without Redis the leases run out by themselves.
      if (!(error instanceof UnavailableError)) throw error
    } finally {
      this.#blocking.close()
      this.#commands.close()
    }
  }

  /** Ends a waiting BZMPOP from outside: cutting its link instead could lose the hints that it is about to get. Asks again in case the wait had not begun. */
  async #endWait(): Promise<void> {
    const over = this.#acquiring.then(
      () => true,
      () => true,
    )
    for (let tries = 0; tries < UNBLOCK_TRIES_MAX; tries++) {
      const { clientId: id, redis } = this.#blocking
      if (id !== undefined && redis.status === 'ready') await this.#commands.run('stop waiting', (commands) => commands.client('UNBLOCK', id))
      if (await Promise.race([over, sleep(UNBLOCK_EVERY_MS, false)])) return
    }
  }
}

/** The replies of a pipeline; throws the first error among them. */
function repliesOf(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}
