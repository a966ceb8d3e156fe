import { FencedError, formatPosition, UnavailableError } from '@koco/core'
import type { SpoolerMetrics } from '@koco/spooler'
import type { AppendAnswer, ConsumerStatus, EventStreams, StreamConsumer, Transport } from '@koco/transport'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

const FAST_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

/** A registry with what every process tells: memory, CPU, event-loop delay. */
export function processRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

/** The figures of a spooler, for Prometheus. */
export function spoolerMetrics(registry: Registry): SpoolerMetrics {
  const registers = [registry]
  const events = new Counter({ name: 'koco_spooler_events_total', help: 'Events brought into the store', labelNames: ['outcome'], registers })
  const batches = new Counter({ name: 'koco_spooler_batches_total', help: 'Batches committed', registers })
  const sizes = new Histogram({
    name: 'koco_spooler_batch_events',
    help: 'Events in a committed batch',
    buckets: [1, 5, 20, 100, 500, 2000, 10_000],
    registers,
  })
  const seconds = new Histogram({
    name: 'koco_spooler_write_seconds',
    help: 'Time to commit a batch',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers,
  })
  const alarms = new Counter({ name: 'koco_spooler_alarms_total', help: 'Things that must not happen and did', labelNames: ['alarm'], registers })
  const dead = new Counter({ name: 'koco_spooler_dead_events_total', help: 'Events set aside', labelNames: ['reason'], registers })
  const redelivered = new Counter({
    name: 'koco_spooler_redelivered_total',
    help: 'Entries that came again because whoever had read them did not acknowledge them',
    registers,
  })
  const delayed = new Gauge({ name: 'koco_spooler_delayed', help: '1 while the store or the transport are away and events wait', registers })
  return {
    batch({ events: size, inserted, duplicates, writeMs }) {
      events.inc({ outcome: 'inserted' }, inserted)
      events.inc({ outcome: 'duplicate' }, duplicates)
      batches.inc()
      sizes.observe(size)
      seconds.observe(writeMs / 1000)
    },
    alarm: (alarm) => alarms.inc({ alarm }),
    dead: (reason) => dead.inc({ reason }),
    redelivered: (entries) => redelivered.inc(entries),
    delayed: (now) => delayed.set(now ? 1 : 0),
  }
}

/** Where what befell a stream is told; pino's loggers fit. */
export type StreamLog = { info(fields: object, message: string): void; warn(fields: object, message: string): void }

/** The same transport, its appends timed and counted by their answers; what an answer tells of a loss or of a stale writer goes into the log. */
export function measuredTransport(transport: Transport, registry: Registry, log: StreamLog): Transport {
  const { signals, liveness, leases, handover } = transport
  return {
    streams: measuredStreams(transport.streams, registry, log),
    signals,
    liveness,
    leases,
    handover,
    consumer: (name) => transport.consumer(name),
    check: () => transport.check(),
    ...(transport.serverTime && { serverTime: () => transport.serverTime?.() ?? Promise.resolve(Date.now()) }),
    close: () => transport.close(),
  }
}

function measuredStreams(streams: EventStreams, registry: Registry, log: StreamLog): EventStreams {
  const seconds = new Histogram({
    name: 'koco_append_seconds',
    help: 'Time of one append, by its answer; `unavailable` when none came',
    labelNames: ['answer'],
    buckets: FAST_S,
    registers: [registry],
  })
  const events = new Counter({ name: 'koco_append_events_total', help: 'Events handed to appends that were accepted', registers: [registry] })
  return {
    commits: streams.commits,
    create: (fid, floor) => streams.create(fid, floor),
    async append(fid, epoch, firstSeq, records) {
      const stop = seconds.startTimer()
      try {
        const answer = await streams.append(fid, epoch, firstSeq, records)
        stop({ answer: answer.answer })
        if (answer.answer === 'ok') events.inc(records.length)
        else tell(log, fid, epoch, answer)
        return answer
      } catch (error) {
        stop({ answer: failure(error) })
        throw error
      }
    },
    top: (fid) => streams.top(fid),
    close: () => streams.close(),
  }
}

/** What is made good by itself, and what a person may want to know of it all the same. */
function tell(log: StreamLog, fid: string, epoch: number, answer: AppendAnswer): void {
  if (answer.answer === 'nostream')
    log.warn({ fid, epoch }, `the stream of run ${fid} was gone: Redis lost it. It is made again, and what the store has not is sent again`)
  if (answer.answer === 'gap')
    log.warn({ fid, epoch, top: formatPosition(answer.top) }, `the stream of run ${fid} fell back to an older state: what Redis lost of it is sent again`)
  if (answer.answer === 'fenced')
    log.info({ fid, epoch, top: formatPosition(answer.top) }, `a writer of run ${fid} was fenced: a later try has taken over, this one writes no more`)
}

function failure(error: unknown): string {
  if (error instanceof FencedError) return 'fenced'
  return error instanceof UnavailableError ? 'unavailable' : 'failed'
}

/** How far the spoolers are behind, asked of the transport when somebody reads the figures. While it does not answer there are none: no figure is better than an old one. */
export function backlogMetrics(registry: Registry, consumer: Pick<StreamConsumer, 'status'>): void {
  let asking: Promise<readonly ConsumerStatus[]> | undefined
  // All gauges are read at the same time: one question serves them.
  const ask = () =>
    (asking ??= consumer
      .status()
      .catch(() => [])
      .finally(() => (asking = undefined)))
  const gauge = (name: string, help: string, value: (status: ConsumerStatus) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['consumer'],
      registers: [registry],
      async collect() {
        const found = await ask()
        this.reset()
        for (const status of found) this.set({ consumer: status.name }, value(status))
      },
    })
  gauge('koco_backlog_events', 'Events that are not stored yet; those of consumer "" lie in streams that no spooler holds', ({ lag }) => lag)
  gauge('koco_backlog_oldest_seconds', 'Age of the oldest event that is not stored yet', ({ oldestPendingMs }) => (oldestPendingMs ?? 0) / 1000)
  gauge('koco_backlog_streams', 'Streams held by a spooler; those of consumer "" wait for one', ({ streams }) => streams)
}

/** How many tries a worker is at. */
export function workerMetrics(registry: Registry, worker: { readonly tries: number }): void {
  new Gauge({
    name: 'koco_worker_tries',
    help: 'Tries of runs at work in this worker',
    registers: [registry],
    collect() {
      this.set(worker.tries)
    },
  }).set(worker.tries)
}
