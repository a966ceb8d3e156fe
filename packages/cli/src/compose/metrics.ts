import type { SpoolerMetrics } from '@koco/spooler'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** The figures of a spooler, for Prometheus. */
export function spoolerMetrics(registry: Registry): SpoolerMetrics {
  const registers = [registry]
  const events = new Counter({ name: 'koco_spooler_events_total', help: 'Events brought into the store', labelNames: ['outcome'], registers })
  const batches = new Counter({ name: 'koco_spooler_batches_total', help: 'Batches committed', registers })
  const seconds = new Histogram({
    name: 'koco_spooler_write_seconds',
    help: 'Time to commit a batch',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers,
  })
  const alarms = new Counter({ name: 'koco_spooler_alarms_total', help: 'Things that must not happen and did', labelNames: ['alarm'], registers })
  const dead = new Counter({ name: 'koco_spooler_dead_events_total', help: 'Events set aside', labelNames: ['reason'], registers })
  const delayed = new Gauge({ name: 'koco_spooler_delayed', help: '1 while the store or the transport are away and events wait', registers })
  return {
    batch({ inserted, duplicates, writeMs }) {
      events.inc({ outcome: 'inserted' }, inserted)
      events.inc({ outcome: 'duplicate' }, duplicates)
      batches.inc()
      seconds.observe(writeMs / 1000)
    },
    alarm: (alarm) => alarms.inc({ alarm }),
    dead: (reason) => dead.inc({ reason }),
    delayed: (now) => delayed.set(now ? 1 : 0),
  }
}
