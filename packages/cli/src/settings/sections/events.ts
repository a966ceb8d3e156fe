import { z } from 'zod'
import { about, seconds, text, url, whole } from '../kinds.ts'

/** How events get from runs to the store. */
export const eventsSettings = {
  eventTransport: z
    .enum(['memory', 'redis'])
    .default('memory')
    .meta(about({ variable: 'EVENT_TRANSPORT', help: 'memory (one process) or redis' })),
  redisUrl: url('redis', 'rediss')
    .optional()
    .meta(about({ variable: 'REDIS_URL', secret: true, none: 'none', help: 'redis://host:port, required with EVENT_TRANSPORT=redis' })),
  redisStreamPrefix: text.default('kodo:events:').meta(about({ variable: 'REDIS_STREAM_PREFIX', help: 'What the names of the streams start with' })),
  redisConsumerGroup: text.default('kodo-spooler').meta(about({ variable: 'REDIS_CONSUMER_GROUP', help: 'The consumer group of the spoolers' })),
  redisBlockMs: whole(10, 30_000)
    .default(1000)
    .meta(about({ variable: 'REDIS_BLOCK_MS', help: 'Longest wait of a spooler for work in one call, in ms' })),
  redisMaxStreamLen: whole(0, 10_000_000)
    .default(10_000)
    .meta(about({ variable: 'REDIS_MAX_STREAM_LEN', help: 'Acknowledged events that a stream keeps for inspection' })),
  redisBacklogMax: whole(100, 10_000_000)
    .default(50_000)
    .meta(about({ variable: 'REDIS_BACKLOG_MAX', help: 'Events of a run that may wait to be stored before its flow is slowed down' })),
  spoolerName: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes or underscores')
    .optional()
    .meta(about({ variable: 'SPOOLER_NAME', none: 'the host and the first free number', help: 'Stable name of this spooler among all' })),
  spoolerBatchSize: whole(1, 5000)
    .default(500)
    .meta(about({ variable: 'SPOOLER_BATCH_SIZE', help: 'Events read of one stream at a time' })),
  spoolerBatchTimeout: seconds(0, 10)
    .default(0.01)
    .meta(about({ variable: 'SPOOLER_BATCH_TIMEOUT', help: 'How long events gather while a batch is written, in seconds' })),
}
