import { createServer, type Server } from 'node:http'
import { createServer as createNetServer, type AddressInfo } from 'node:net'
import { KocoError, RefusedError, UnavailableError } from '@koco/core'
import type { ExecutionStore } from '@koco/storage'
import type { Transport } from '@koco/transport'
import type { Registry } from 'prom-client'
import { parseAddress } from '../settings/addresses.ts'

/** What a process without a panel tells of itself. `ready` throws when it cannot do its work now; `more` gives further figures in the text format of Prometheus. */
export type ProcessFacts = { readonly registry: Registry; readonly ready: () => Promise<void>; readonly more?: () => Promise<string> }

/** Answers /healthz, /readyz and /metrics at `address` (`host:port`) until it is closed; undefined address: nothing. RefusedError `port_in_use` or `bad_address`. */
export async function serveProcess(address: string | undefined, facts: ProcessFacts): Promise<{ close(): void }> {
  if (address === undefined) return { close: () => undefined }
  const server = createServer((request, response) => {
    void answer(request.url ?? '/', facts).then(({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body))
  })
  await listen(server, address)
  return {
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

/** A port of the loopback interface that is free now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createNetServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })
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

function listen(server: Server, address: string): Promise<void> {
  const { host, port } = parseAddress(`http://${address}`)
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'port_in_use' : 'bad_address'
      fail(
        new RefusedError(`${address} cannot be listened on (${error.code ?? error.message}): choose another address with --metrics.`, { code, cause: error }),
      )
    })
    server.listen(port, host, done)
  })
}
