import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP link to a server that the drill's own processes use, so that it can be cut without touching the server. */
export type Link = {
  /** `127.0.0.1:port`, to take in place of the server's. */
  readonly address: string
  /** Resets all connections and refuses new ones, as when the server is down. */
  cut(): void
  /** Lets connections through again. */
  mend(): void
  close(): Promise<void>
}

/** Opens a link to `host:port`. */
export async function openLink(target: { readonly host: string; readonly port: number }): Promise<Link> {
  const sockets = new Set<Socket>()
  let isCut = false
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket.setNoDelay())
    socket.on('error', () => other.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
    socket.pipe(other)
  }
  const server = createServer((client) => {
    if (isCut) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(target.port, target.host)
    keep(client, upstream)
    keep(upstream, client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    isCut = true
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => void (isCut = false),
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
