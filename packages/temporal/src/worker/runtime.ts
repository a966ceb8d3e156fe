import { createServer, type AddressInfo } from 'node:net'
import { Runtime, type RuntimeOptions } from '@temporalio/worker'
import type { Log } from '../log.ts'

let installed: Promise<string | null> | undefined
/** What the SDK warns of and we do on purpose: the queues of tries have no workflows. */
const EXPECTED = /^No workflows registered/
const PORTS_TRIED_MAX = 10
const FIGURES_MS = 3000

/**
 * Prepares the SDK once a process: its log goes to ours, its signal handlers stay off (who stops a worker is the command's business). With `figures` it serves its own on a port of the loopback interface; gives where,
 * or null. `pickPort`: for tests.
 */
export function installRuntime(log: Log, figures: boolean, pickPort = freePort): Promise<string | null> {
  if (!installed) {
    installed = figures ? installWithFigures(log, pickPort) : install(log)
    installed.catch(() => (installed = undefined))
  }
  return installed
}

/** The SDK's figures in the text format of Prometheus, from where it serves them; none from null. */
export async function figuresAt(address: string | null): Promise<string> {
  if (address === null) return ''
  const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(FIGURES_MS) })
  return await response.text()
}

async function install(log: Log, bindAddress?: string): Promise<null> {
  const options: RuntimeOptions = {
    shutdownSignals: [],
    logger: sdkLogger(log),
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } },
      ...(bindAddress !== undefined && { metrics: { prometheus: { bindAddress } } }),
    },
  }
  Runtime.install(options)
  return null
}

// The SDK does not tell which port it got for port 0, so it is given one that was free a moment ago. It binds it while it is installed, and throws if somebody took it meanwhile: then the next one.
async function installWithFigures(log: Log, pickPort: () => Promise<number>): Promise<string> {
  for (let tried = 1; ; tried++) {
    const address = `127.0.0.1:${await pickPort()}`
    try {
      await install(log, address)
      return address
    } catch (error) {
      if (tried === PORTS_TRIED_MAX) throw error
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })
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
