import { createSpooler, type Spooler } from '@koco/spooler'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Settings } from '../settings/schema.ts'
import type { Traces } from '../traces/traces.ts'
import { spoolerMetrics } from './metrics.ts'

/** What a spooler process and the embedded one are made of. */
export type SpoolerParts = {
  readonly settings: Settings
  readonly store: ExecutionStore
  readonly transport: Transport
  readonly log: Logger
  readonly registry: Registry
  readonly traces: Traces
  /** Stable among all spoolers of the installation. */
  readonly name: string
}

/** Makes and starts a spooler. */
export function startSpooler({ settings, store, transport, log, registry, traces, name }: SpoolerParts): Spooler {
  const spooler = createSpooler({
    consumer: transport.consumer(name),
    signals: transport.signals,
    writer: store.writer,
    dead: store.dead,
    log: log.child({ part: 'spooler' }),
    metrics: { ...spoolerMetrics(registry), committed: (runs, writeMs) => traces.committed(runs, writeMs) },
    batchSize: settings.spoolerBatchSize,
    batchTimeoutS: settings.spoolerBatchTimeout,
    blockMs: settings.redisBlockMs,
  })
  spooler.start()
  return spooler
}
