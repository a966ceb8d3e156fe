import { WebSocket } from 'ws'

/** A frame as a client gets it. */
export type ClientFrame = { readonly type: string; readonly content: string; readonly timestamp: number; readonly data: Readonly<Record<string, unknown>> }

/** An upgrade that was refused. */
export type Refused = { readonly status: number; readonly code: string }

/** A client of the socket that keeps what it is sent. */
export class SocketClient {
  readonly socket: WebSocket
  readonly frames: ClientFrame[] = []
  /** Resolves with the closing code. */
  readonly closed: Promise<number>
  readonly #waiting = new Set<() => void>()
  #read = 0

  private constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        resolve(code)
        for (const wake of this.#waiting) wake()
      })
    })
    socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as ClientFrame)
      for (const wake of this.#waiting) wake()
    })
  }

  /** Opens a socket; a refusal comes back as what it said. */
  static dial(url: string, headers: Readonly<Record<string, string>> = {}, path = '/ws'): Promise<SocketClient | Refused> {
    const socket = new WebSocket(url.replace(/^http/, 'ws') + path, { headers, perMessageDeflate: false })
    const client = new SocketClient(socket)
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(client))
      socket.once('error', reject)
      socket.once('unexpected-response', (_request, response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.once('end', () => resolve({ status: response.statusCode ?? 0, code: (JSON.parse(body) as { code: string }).code }))
      })
    })
  }

  /** Opens a socket that is not refused. */
  static async open(url: string, headers: Readonly<Record<string, string>> = {}, path = '/ws'): Promise<SocketClient> {
    const dialled = await SocketClient.dial(url, headers, path)
    if (dialled instanceof SocketClient) return dialled
    throw new Error(`the socket was refused: ${dialled.status} ${dialled.code}`)
  }

  send(type: string, data: object = {}, content = ''): void {
    this.socket.send(JSON.stringify({ type, content, timestamp: Date.now() / 1000, data }))
  }

  /** The next frame, from where the last call stopped, that passes; those before it are passed over. */
  async next(type: string, passes: (frame: ClientFrame) => boolean = () => true): Promise<ClientFrame> {
    for (;;) {
      const { frames } = this
      while (this.#read < frames.length) {
        const frame = frames[this.#read++]
        if (frame && frame.type === type && passes(frame)) return frame
      }
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`closed before "${type}" came; had ${frames.map((one) => one.type).join(', ')}`)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    }
  }

  /** The end of the next turn. */
  end(): Promise<ClientFrame> {
    return this.next('agent_response', ({ data }) => data['is_complete'] === true)
  }

  /** Closes and waits until the server knows. */
  async close(): Promise<void> {
    this.socket.close()
    await this.closed
  }
}
