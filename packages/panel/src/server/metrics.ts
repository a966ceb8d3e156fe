import { RUN_STATUSES } from '@koco/core'
import type { RunStore } from '@koco/storage'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { StreamCounts } from '../tail/live-streams.ts'

/** Told of sockets, for the metrics. */
export type SocketCounts = { opened(): void; closed(code: number): void; refused(status: number): void; message(type: string): void }

/** The panel's own figures. */
export type Metrics = {
  request(method: string, route: string, status: number, seconds: number): void
  /** A check of readiness that went well took so long. */
  check(part: string, seconds: number): void
  login(outcome: 'ok' | 'wrong' | 'throttled'): void
  readonly streams: StreamCounts
  readonly sockets: SocketCounts
}

/** Registers the panel's figures; the runs by status are counted when somebody asks for the metrics. */
export function createMetrics(registry: Registry, runs: Pick<RunStore, 'counts'>): Metrics {
  const registers = [registry]
  const requests = new Histogram({
    name: 'koco_http_request_seconds',
    help: 'How long requests took, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  })
  const checks = new Histogram({
    name: 'koco_check_seconds',
    help: 'How long the store, the accounts and the transport took to answer a check of readiness.',
    labelNames: ['part'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.4, 1, 5],
    registers,
  })
  const logins = new Counter({ name: 'koco_logins_total', help: 'Sign-ins by outcome.', labelNames: ['outcome'], registers })
  const open = new Gauge({ name: 'koco_live_streams', help: 'Open live streams.', registers })
  const closed = new Counter({ name: 'koco_live_streams_closed_total', help: 'Live streams that ended, by reason.', labelNames: ['reason'], registers })
  const runsByStatus = new Gauge({
    name: 'koco_runs',
    help: 'Runs by status.',
    labelNames: ['status'],
    registers,
    async collect() {
      const counts = await runs.counts()
      for (const status of RUN_STATUSES) this.set({ status }, counts[status] ?? 0)
    },
  })
  runsByStatus.reset()
  return {
    request: (method, route, status, seconds) => requests.observe({ method, route, status }, seconds),
    check: (part, seconds) => checks.observe({ part }, seconds),
    login: (outcome) => logins.inc({ outcome }),
    streams: {
      opened: () => open.inc(),
      closed(reason) {
        open.dec()
        closed.inc({ reason })
      },
    },
    sockets: socketCounts(registry),
  }
}

function socketCounts(registry: Registry): SocketCounts {
  const registers = [registry]
  const open = new Gauge({ name: 'koco_sockets', help: 'Open sockets.', registers })
  const closed = new Counter({ name: 'koco_sockets_closed_total', help: 'Sockets that ended, by closing code.', labelNames: ['code'], registers })
  const refused = new Counter({ name: 'koco_sockets_refused_total', help: 'Upgrades that were refused, by status.', labelNames: ['status'], registers })
  const messages = new Counter({ name: 'koco_socket_messages_total', help: 'Messages that came over sockets, by type.', labelNames: ['type'], registers })
  return {
    opened: () => open.inc(),
    closed(code) {
      open.dec()
      closed.inc({ code })
    },
    refused: (status) => refused.inc({ status }),
    message: (type) => messages.inc({ type }),
  }
}
