import type { TemporalServer } from '@koco/temporal'
import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'

const LOOK_MS = 2000

/** Asks Temporal now and then whether it is there, says when it goes away and when it is back, and tells Prometheus. Returns what ends the watch. */
export function watchTemporal(server: Pick<TemporalServer, 'call'>, log: Pick<Logger, 'info' | 'warn'>, registry: Registry, lookMs = LOOK_MS): () => void {
  const up = new Gauge({
    name: 'koco_temporal_up',
    help: '1 while Temporal answers; without it runs under way wait and none can be started',
    registers: [registry],
  })
  up.set(1)
  let awaySince: number | undefined
  let asking = false
  const look = async (): Promise<void> => {
    if (asking) return
    asking = true
    try {
      await server.call('say that it is there', ({ workflowService }) => workflowService.getSystemInfo({}))
      if (awaySince !== undefined) log.info({ away_ms: Math.round(performance.now() - awaySince) }, 'Temporal is back')
      awaySince = undefined
      up.set(1)
    } catch (error) {
      if (awaySince === undefined) log.warn({ err: error }, 'Temporal does not answer: runs under way wait for it, none can be started')
      awaySince ??= performance.now()
      up.set(0)
    }
    asking = false
  }
  const timer = setInterval(() => void look(), lookMs).unref()
  return () => clearInterval(timer)
}
