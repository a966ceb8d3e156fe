import { request } from 'node:http'

/** A frame as a client gets it. */
export type Frame = { readonly type: string; readonly content: string; readonly timestamp: number; readonly data: Readonly<Record<string, unknown>> }

type Waiting = {
  readonly type: string
  readonly passes: (frame: Frame) => boolean
  readonly resolve: (frame: Frame) => void
  readonly reject: (error: Error) => void
}

/** A client of `/ws` as a program would write one, by the platform's own WebSocket. */
export class SocketClient {
  readonly frames: Frame[] = []
  /** Resolves with the closing code. */
  readonly closed: Promise<number>
  readonly #socket: WebSocket
  readonly #waiting = new Set<Waiting>()
  #asked = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code }) => {
        for (const { type, reject } of this.#waiting) reject(new Error(`closed with ${code} before ${type} came`))
        this.#waiting.clear()
        resolve(code)
      })
    })
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Frame))
  }

  /** Opens a socket; rejects when it is refused. */
  static async open(address: string, token: string): Promise<SocketClient> {
    const socket = new WebSocket(`${address.replace(/^http/, 'ws')}/ws`, { headers: { authorization: `Bearer ${token}` } })
    const client = new SocketClient(socket)
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve(), { once: true })
      socket.addEventListener('error', () => reject(new Error('the socket was refused')), { once: true })
    })
    return client
  }

  /** The status of an upgrade, 101 when it would open; the socket is gone at once. Undefined when nobody answers. */
  static status(address: string, token: string): Promise<number | undefined> {
    const headers = {
      authorization: `Bearer ${token}`,
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    }
    return new Promise((resolve) => {
      const asked = request(`${address}/ws`, { headers })
      asked.once('upgrade', (_response, socket) => {
        socket.destroy()
        resolve(101)
      })
      asked.once('response', (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asked.once('error', () => resolve(undefined))
      asked.end()
    })
  }

  /** The first frame from now on, or among those not asked for before, of this type that passes. */
  next(type: string, passes: (frame: Frame) => boolean = () => true): Promise<Frame> {
    const waiting = Promise.withResolvers<Frame>()
    const entry = { type, passes, ...waiting }
    while (this.#asked < this.frames.length) {
      const frame = this.frames[this.#asked++]
      if (frame && frame.type === type && passes(frame)) return Promise.resolve(frame)
    }
    this.#waiting.add(entry)
    return waiting.promise
  }

  /** Sends a message and gives the answer to it; an `error` is an answer too. */
  ask(type: string, data: object = {}, content = ''): Promise<Frame> {
    const id = crypto.randomUUID()
    const waiting = Promise.withResolvers<Frame>()
    this.#waiting.add({ type: '', passes: ({ data: answer }) => answer['reply_to'] === id, ...waiting })
    this.#socket.send(JSON.stringify({ type, content, timestamp: Date.now() / 1000, data: { ...data, request_id: id } }))
    return waiting.promise
  }

  /** The end of the next turn. */
  end(): Promise<Frame> {
    return this.next('agent_response', ({ data }) => data['is_complete'] === true)
  }

  async close(): Promise<void> {
    this.#socket.close()
    await this.closed
  }

  #take(frame: Frame): void {
    this.frames.push(frame)
    for (const waiting of this.#waiting) {
      if ((waiting.type !== '' && waiting.type !== frame.type) || !waiting.passes(frame)) continue
      this.#waiting.delete(waiting)
      if (waiting.type !== '') this.#asked = this.frames.length
      waiting.resolve(frame)
    }
  }
}
