import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Opens a proxy on a free loopback port in front of `target`. */
export async function startFaultProxy(target: { readonly host?: string; readonly port: number }): Promise<FaultProxy> {
  const proxy = new FaultProxy(target)
  await proxy.listen()
  return proxy
}

/** A TCP link to a server that a test can break in exact places. Faults hold for old and new connections until `heal`. */
export class FaultProxy {
  readonly #sockets = new Set<Socket>()
  readonly #listener: Server
  #target: { readonly host?: string; readonly port: number }
  #refusing = false
  #delayMs = 0
  #swallowed: PromiseWithResolvers<void> | undefined

  constructor(target: { readonly host?: string; readonly port: number }) {
    this.#target = target
    this.#listener = createServer((client) => this.#link(client, this.#target.host ?? '127.0.0.1', this.#target.port))
  }

  /** Starts to take connections. */
  async listen(): Promise<void> {
    this.#listener.listen(0, '127.0.0.1')
    await once(this.#listener, 'listening')
  }

  /** The port to give to the client instead of the server's. */
  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** The server's URL with the proxy's host and port. */
  url(serverUrl: string): string {
    const url = new URL(serverUrl)
    url.hostname = '127.0.0.1'
    url.port = String(this.port)
    return url.href
  }

  /** Leads new connections to another server, as the address of a service does after a failover. */
  lead(target: { readonly host?: string; readonly port: number }): void {
    this.#target = target
  }

  /** Cuts all connections at once (RST); new ones pass. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Requests go through, replies are swallowed: what was asked is done and nobody hears of it. Resolves when the first reply has been swallowed. */
  dropReplies(): Promise<void> {
    this.#swallowed ??= Promise.withResolvers()
    return this.#swallowed.promise
  }

  /** Cuts all connections and refuses new ones (accepted, then reset). */
  refuse(): void {
    this.#refusing = true
    this.cut()
  }

  /** Passes everything on, in both directions, this much later. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Ends all faults. Connections on which replies were swallowed are cut: they are out of step. */
  heal(): void {
    if (this.#swallowed) this.cut()
    this.#swallowed = undefined
    this.#refusing = false
    this.#delayMs = 0
  }

  /** Cuts everything and gives the port back. */
  async close(): Promise<void> {
    this.refuse()
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #link(client: Socket, host: string, port: number): void {
    if (this.#refusing) {
      client.resetAndDestroy()
      return
    }
    const server = connect(port, host)
    this.#pass(client, server, () => true)
    this.#pass(server, client, () => {
      this.#swallowed?.resolve()
      return this.#swallowed === undefined
    })
  }

  #pass(from: Socket, to: Socket, wanted: () => boolean): void {
    this.#sockets.add(from.setNoDelay())
    // What is on its way, oldest first: none overtakes another, also when the delay becomes shorter meanwhile.
    const late: Buffer[] = []
    let lastAt = 0
    const sendOldest = () => {
      const data = late.shift()
      if (data && to.writable && !to.write(data)) from.pause()
    }
    from.on('data', (data: Buffer) => {
      if (!wanted()) return
      const now = performance.now()
      lastAt = Math.max(lastAt, now + this.#delayMs)
      if (late.push(data) > 1 || lastAt > now) setTimeout(sendOldest, lastAt - now)
      else sendOldest()
    })
    to.on('drain', () => from.resume())
    from.on('error', () => to.destroy())
    from.on('end', () => to.end())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }
}
