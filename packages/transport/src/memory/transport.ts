import { UnavailableError } from '@koco/core'
import type { Transport } from '../port.ts'
import { MemoryConsumer } from './consumer.ts'
import { MemoryHandover } from './handover.ts'
import { MemoryHub, type MemoryCapacity } from './hub.ts'
import { MemoryLeases } from './leases.ts'
import { MemoryLiveness } from './liveness.ts'
import { MemorySignals } from './signals.ts'
import { MemoryStreams } from './streams.ts'

/** Settings of a memory transport; all have defaults. `clock` gives ms since 1970; `workerLifeMs` and `holdMs` as for Redis. */
export type MemoryTransportOptions = {
  readonly capacity?: Partial<MemoryCapacity>
  readonly clock?: () => number
  readonly workerLifeMs?: number
  readonly holdMs?: number
}

/**
 * A transport within one process, for the embedded mode: an append resolves when a consumer of the same transport has acknowledged its events, so nothing that was
 * acknowledged is lost with the process.
 */
export function createMemoryTransport(options: MemoryTransportOptions = {}): Transport {
  const clock = options.clock ?? Date.now
  const hub = new MemoryHub({ backlogMax: 50_000, bytesMax: 256 * 1024 * 1024, streamsMax: 100_000, ...options.capacity })
  const streams = new MemoryStreams(hub)
  const signals = new MemorySignals()
  const consumers = new Set<MemoryConsumer>()
  return {
    streams,
    signals,
    leases: new MemoryLeases(options.holdMs ?? 15_000, clock),
    handover: new MemoryHandover(),
    liveness: new MemoryLiveness(options.workerLifeMs ?? 3000, clock),
    consumer(name) {
      const consumer = new MemoryConsumer(name, hub, clock)
      consumers.add(consumer)
      return consumer
    },
    async check() {
      if (hub.closed) throw new UnavailableError('The memory transport was closed.', { code: 'transport_closed' })
    },
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close()))
      await streams.close()
      await signals.close()
    },
  }
}
