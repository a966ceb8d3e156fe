import { setTimeout as delay } from 'node:timers/promises'
import { SocketClient, type Frame } from './socket-client.ts'

const AGAIN_MS = 150

/** Where a seat sits: which session, of which panel, with whose token. `live`: it wants text before it is stored too. */
export type Place = { readonly address: string; readonly token: string; readonly session: string; readonly live: boolean }

/** A connection that follows a session and comes again whenever it is cut, from the last position that it had: as a program would. */
export class Seat {
  /** What went wrong with resuming; stays empty. */
  readonly faults: string[] = []
  /** How often it came again, and how many previews it was shown. */
  connections = 0
  deltas = 0
  readonly #before: Frame[] = []
  readonly #place: Place
  readonly #done: Promise<void>
  #socket: SocketClient | undefined
  #left = false

  constructor(place: Place) {
    this.#place = place
    this.#done = this.#keep()
  }

  /** Every stored frame of an answer, over all connections, in the order in which they came. */
  get frames(): readonly Frame[] {
    return [...this.#before, ...(this.#socket?.frames ?? []).filter(isStored)]
  }

  /** Asks something on the connection that stands; rejects when there is none, or it is cut before the answer. */
  async ask(type: string, data: object = {}, content = ''): Promise<Frame> {
    const socket = this.#socket
    if (!socket) throw new Error('not connected')
    const cut = socket.closed.then((code) => Promise.reject(new Error(`closed with ${code}`)))
    return await Promise.race([socket.ask(type, { session_id: this.#place.session, ...data }, content), cut])
  }

  /** Breaks the connection off; it comes again by itself. */
  async cut(): Promise<void> {
    await this.#socket?.close()
  }

  /** Leaves for good. */
  async leave(): Promise<void> {
    this.#left = true
    await this.cut()
    await this.#done
  }

  async #keep(): Promise<void> {
    while (!this.#left) {
      try {
        await this.#sit()
      } catch {
        // Refused, cut or not answered: the panel or a store is away. It is tried again until the seat is left.
      }
      await delay(AGAIN_MS)
    }
  }

  async #sit(): Promise<void> {
    const { address, token, session, live } = this.#place
    const socket = await SocketClient.open(address, token)
    try {
      this.connections += 1
      const position = this.frames.at(-1)?.data['position']
      const cut = socket.closed.then((code) => Promise.reject(new Error(`closed with ${code}`)))
      const attached = await Promise.race([
        socket.ask('session_control', { action: 'attach', session_id: session, live, ...(position !== undefined && { position }) }),
        cut,
      ])
      if (attached.type === 'error') return await socket.close()
      if (attached.data['reset'] === true) this.faults.push(`the position ${String(position)} was said to be gone`)
      this.#socket = socket
      await socket.closed
    } finally {
      this.#socket = undefined
      this.#before.push(...socket.frames.filter(isStored))
      this.deltas += socket.frames.filter(({ data }) => data['kind'] === 'delta').length
    }
  }
}

function isStored({ type, data }: Frame): boolean {
  return type === 'agent_response' && data['kind'] !== 'delta'
}
