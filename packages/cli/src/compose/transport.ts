import { must } from '@koco/core'
import type { ExecutionStore } from '@koco/storage'
import { createMemoryTransport, type Transport } from '@koco/transport'
import { openExecution, type ExecutionUse } from './stores.ts'
import type { Settings } from '../settings/schema.ts'

/** Opens the transport that the settings name; it has answered once. RefusedError for a Redis that would lose events, UnavailableError when there is none. */
export async function openTransport(settings: Settings): Promise<Transport> {
  const transport =
    settings.eventTransport === 'memory' ? createMemoryTransport({ capacity: { backlogMax: settings.redisBacklogMax } }) : await redisTransport(settings)
  try {
    await transport.check()
    return transport
  } catch (error) {
    await transport.close()
    throw error
  }
}

/** Opens the execution store and the transport; one that opened is closed again when the other did not. */
export async function openStoreAndTransport(
  settings: Settings,
  cwd: string,
  use?: ExecutionUse,
): Promise<{ readonly store: ExecutionStore; readonly transport: Transport }> {
  const store = await openExecution(settings, cwd, use)
  try {
    return { store, transport: await openTransport(settings) }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function redisTransport(settings: Settings): Promise<Transport> {
  const { createRedisTransport } = await import('@koco/transport/redis')
  return createRedisTransport({
    url: must(settings.redisUrl, 'KODO_REDIS_URL'),
    streamPrefix: settings.redisStreamPrefix,
    group: settings.redisConsumerGroup,
    backlogMax: settings.redisBacklogMax,
    maxStreamLen: settings.redisMaxStreamLen,
  })
}
