import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KocoError, RefusedError, UnavailableError } from '@koco/core'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { parseAddress } from '../settings/addresses.ts'

/** What a process without a panel tells of itself. `ready` throws when it cannot do its work now; `more` gives further figures in the text format of Prometheus. */
export type ProcessFacts = {
  readonly registry: Registry
  readonly ready: () => Promise<void>
  readonly more?: () => Promise<string>
  readonly log: Pick<Logger, 'info'>
}

/** Answers /healthz, /readyz and /metrics at `address` (`host:port`) until it is closed, and says in the log where that is: port 0 takes any that is free. undefined address: nothing. RefusedError `port_in_use` or `bad_address`. */
export async function serveProcess(address: string | undefined, facts: ProcessFacts): Promise<{ readonly url: string | null; close(): void }> {
  if (address === undefined) return { url: null, close: () => undefined }
  const server = createServer((request, response) => {
    void answer(request.url ?? '/', facts).then(({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body))
  })
  const { host } = parseAddress(`http://${address}`)
  const port = await listen(server, address)
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  facts.log.info({ address: url }, `metrics, health and readiness at ${url}`)
  return {
    url,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** What a process can tell of itself while it still waits for what it needs: why it is not ready, and from `set` on what it does then. */
export function laterReady(): { readonly ready: () => Promise<void>; isAway(error: UnavailableError): void; set(ready: () => Promise<void>): void } {
  let away = new UnavailableError('koco is starting.', { code: 'starting' })
  let works: (() => Promise<void>) | undefined
  return {
    async ready() {
      if (!works) throw away
      await works()
    },
    isAway: (error) => void (away = error),
    set: (ready) => void (works = ready),
  }
}

/** Throws UnavailableError unless the store and the transport take writes now. */
export async function allWell(store: Pick<ExecutionStore, 'check'>, transport: Pick<Transport, 'check'>): Promise<void> {
  await Promise.all([store.check(), transport.check()])
}

type Answer = { readonly status: number; readonly type: string; readonly body: string }

async function answer(path: string, { registry, ready, more }: ProcessFacts): Promise<Answer> {
  if (path === '/healthz') return json(200, { status: 'ok' })
  if (path === '/readyz') return readiness(ready)
  if (path !== '/metrics') return json(404, { error: 'There are /healthz, /readyz and /metrics.' })
  const [own, others] = await Promise.all([registry.metrics(), more?.().catch(() => '') ?? ''])
  return { status: 200, type: registry.contentType, body: `${own}${others}` }
}

/** Anybody may ask, so only the stable code is told; the message may name hosts and paths. */
async function readiness(ready: () => Promise<void>): Promise<Answer> {
  try {
    await ready()
    return json(200, { ready: true })
  } catch (error) {
    return json(503, { ready: false, because: error instanceof KocoError ? error.code : 'failed' })
  }
}

function json(status: number, body: object): Answer {
  return { status, type: 'application/json', body: JSON.stringify(body) }
}

/** Gives the port. */
function listen(server: Server, address: string): Promise<number> {
  const { host, port } = parseAddress(`http://${address}`)
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'port_in_use' : 'bad_address'
      fail(
        new RefusedError(`${address} cannot be listened on (${error.code ?? error.message}): choose another address with --metrics.`, { code, cause: error }),
      )
    })
    server.listen(port, host, () => done((server.address() as AddressInfo).port))
  })
}
