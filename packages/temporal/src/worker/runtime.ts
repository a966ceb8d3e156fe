import { Runtime, type RuntimeOptions } from '@temporalio/worker'
import type { Log } from '../log.ts'

let installed = false
/** What the SDK warns of and we do on purpose: the queues of tries have no workflows. */
const EXPECTED = /^No workflows registered/

/** Prepares the SDK once a process: its log goes to ours, its signal handlers stay off (who stops a worker is the command's business), its figures to an address for Prometheus when one is given. */
export function installRuntime(log: Log, metricsAddress: string | null): void {
  if (installed) return
  installed = true
  const options: RuntimeOptions = {
    shutdownSignals: [],
    logger: sdkLogger(log),
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } },
      ...(metricsAddress !== null && { metrics: { prometheus: { bindAddress: metricsAddress } } }),
    },
  }
  Runtime.install(options)
}

function sdkLogger(log: Log): NonNullable<RuntimeOptions['logger']> {
  const quiet = (): void => undefined
  const to = (level: 'info' | 'warn' | 'error') => (message: string, meta?: unknown) => {
    if (!EXPECTED.test(message)) log(level, `temporal: ${message}`, meta)
  }
  return {
    log: (level, message, meta) => {
      if (level === 'WARN' || level === 'ERROR') to(level === 'WARN' ? 'warn' : 'error')(message, meta)
    },
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: to('warn'),
    error: to('error'),
  }
}
