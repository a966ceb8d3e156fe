import { randomUUID } from 'node:crypto'
import type { Transport } from '../port.ts'
import { RedisChannels } from './channels.ts'
import { checkRedis } from './check.ts'
import { Connection, type ConnectionKind, type ConnectionOptions } from './connections.ts'
import { RedisConsumer } from './consumer.ts'
import { RedisHandover } from './handover.ts'
import { redisKeys } from './keys.ts'
import { RedisLeases } from './leases.ts'
import { RedisLiveness } from './liveness.ts'
import { RedisSignals } from './signals.ts'
import { leaseToken } from './status.ts'
import { RedisStreams } from './streams.ts'

/** Settings of a transport over Redis. */
export type RedisTransportOptions = ConnectionOptions & {
  /** What a run's stream key starts with; default `kodo:events:`. All other keys begin alike, without a final `events:`. */
  readonly streamPrefix?: string
  /** The consumer group; default `kodo-spooler`. */
  readonly group?: string
  /** Entries of one run that may wait to be persisted before appends are `busy`; default 50,000. */
  readonly backlogMax?: number
  /** Acknowledged entries kept in each stream for inspection; default 10,000, at most half of `backlogMax`. */
  readonly maxStreamLen?: number
  /** How long a lease holds without being renewed; default 15,000 ms. */
  readonly leaseMs?: number
  /** How long a worker may say nothing before it counts as dead; default 3,000 ms. */
  readonly workerLifeMs?: number
  /** How long a counted lease stands without being renewed; default 15,000 ms. */
  readonly holdMs?: number
  /** How long a stream stays after its run's end is persisted; default 24 h, in ms. */
  readonly expireMs?: number
  /** About the most that one read brings; default 16 MiB, in bytes. */
  readonly readBytesMax?: number
  /** Gives ms since 1970. */
  readonly clock?: () => number
}

/** A transport over one Redis (7.0 or later, no cluster). Links open at first use: nothing is asked of Redis here. */
export function createRedisTransport(options: RedisTransportOptions): Transport {
  const clock = options.clock ?? Date.now
  const keys = redisKeys(options.streamPrefix ?? 'kodo:events:')
  const group = options.group ?? 'kodo-spooler'
  const backlogMax = options.backlogMax ?? 50_000
  const links = new Set<Connection>()
  const connect = (kind: ConnectionKind) => {
    const link = new Connection(kind, options)
    links.add(link)
    return link
  }
  const streams = new RedisStreams(connect('append'), { keys, group, backlogMax, clock })
  const publisher = connect('commands')
  const channels = new RedisChannels(connect('subscribe'))
  const signals = new RedisSignals(publisher, channels, keys)
  const consumers = new Set<RedisConsumer>()
  return {
    streams,
    signals,
    leases: new RedisLeases(publisher, keys, options.holdMs ?? 15_000),
    handover: new RedisHandover(publisher, channels, keys),
    liveness: new RedisLiveness(publisher, keys, options.workerLifeMs ?? 3000),
    consumer(name) {
      const consumer = new RedisConsumer(connect('commands'), connect('blocking'), {
        keys,
        group,
        name,
        token: leaseToken(name, randomUUID()),
        leaseMs: options.leaseMs ?? 15_000,
        expireMs: options.expireMs ?? 24 * 3600 * 1000,
        // With half of the backlog's room for what is acknowledged, a wrong lag in XINFO cannot keep appends busy for ever.
        keep: Math.min(options.maxStreamLen ?? 10_000, Math.floor(backlogMax / 2)),
        readBytesMax: options.readBytesMax ?? 16 * 1024 * 1024,
        clock,
      })
      consumers.add(consumer)
      return consumer
    },
    check: () => checkRedis(publisher, keys),
    async serverTime() {
      const [seconds, micros] = await publisher.run('tell the time', (redis) => redis.time())
      return Number(seconds) * 1000 + Number(micros) / 1000
    },
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close()))
      await signals.close()
      for (const link of links) link.close()
    },
  }
}
